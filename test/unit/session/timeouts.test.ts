import { describe, expect, test } from 'vitest';
import { flush, sync } from '../../../src/wire/constants.ts';
import * as say from '../../conversation/say.ts';
import type { ScriptedPeer } from '../../conversation/scripted-peer.ts';
import { Stage, type StageOptions } from '../../conversation/stage.ts';

const OFF = { idleInTransactionMs: 0, transactionMs: 0, clientIdleMs: 0 };

function start(timeouts: StageOptions['timeouts'], more: StageOptions = {}) {
  const stage = new Stage({ ...more, timeouts: { ...OFF, ...timeouts } });
  return { stage, client: stage.client('client') };
}

/** The SQLSTATE of the error that ended it, or null. */
function ended(client: ScriptedPeer): string | null {
  if (!client.ended) return null;
  const error = client.received.findLast(({ name }) => name === 'ErrorResponse');
  return /C(\w{5})\0/.exec(error?.bytes.toString('latin1') ?? '')?.[1] ?? '';
}

describe('idle_in_transaction', () => {
  const limit = { idleInTransactionMs: 10_000 };

  test.each<[string, readonly Buffer[]]>([
    ['a transaction on a server', [say.query('begin'), say.query('insert 1')]],
    ['a transaction that has no server', [say.query('begin')]],
    ['a transaction that has failed', [say.query('begin'), say.query('fail')]],
    ['a batch without its Sync', [say.run('insert 1'), flush]],
    ['COPY data that does not come', [say.query('copy t from stdin')]],
  ])('ends the silence of %s', (_name, messages) => {
    const { stage, client } = start(limit);
    client.send(...messages);
    stage.pass(9_900);
    expect(ended(client)).toBe(null);
    stage.pass(300);
    expect(ended(client)).toBe('25P03');
    stage.pass(100);
    expect(stage.pool.leased.length + stage.pool.cleaning.length).toBe(0);
    expect(stage.servers.flatMap(({ committed }) => committed)).toEqual([]);
  });

  test('ends the silence in the middle of a message that streams', () => {
    const { stage, client } = start(limit);
    client.sendRaw(say.query(`select '${'x'.repeat(300_000)}'`).subarray(0, 280_000));
    stage.pass(10_200);
    expect(client.ended).toBe(true);
    expect(stage.pool.budget.used).toBe(0);
  });

  test('begins anew with everything the client says', () => {
    const { stage, client } = start(limit);
    client.send(say.query('begin'), say.query('insert 1'));
    for (let index = 0; index < 3; index++) {
      stage.pass(9_000);
      client.send(say.query('insert 2'));
    }
    expect(ended(client)).toBe(null);
  });

  test.each<[string, readonly Buffer[], StageOptions]>([
    ['a statement that takes long', [say.query('begin'), say.query('hang')], {}],
    ['no transaction', [say.query('select 1')], {}],
    ['a pinned session at rest', [say.query('listen c')], {}],
    ['a session of a session pool at rest', [say.query('select 1')], { pool: { mode: 'session' } }],
  ])('does not concern %s', (_name, messages, more) => {
    const { stage, client } = start(limit, more);
    client.send(...messages);
    stage.pass(30_000);
    expect(ended(client)).toBe(null);
  });
});

describe('transaction', () => {
  const limit = { transactionMs: 10_000 };

  test('ends one that is busy all the time', () => {
    const { stage, client } = start(limit);
    client.send(say.query('begin'));
    for (let index = 0; index < 9; index++) {
      client.send(say.query('insert 1'));
      stage.pass(1_000);
    }
    expect(ended(client)).toBe(null);
    stage.pass(1_200);
    expect(ended(client)).toBe('25P04');
    expect(stage.server().committed).toEqual([]);
  });

  test('ends a statement in one', () => {
    const { stage, client } = start(limit);
    client.send(say.query('begin'), say.query('hang'));
    stage.pass(10_200);
    expect(ended(client)).toBe('25P04');
    stage.pass(300);
    expect(stage.pool.idle.length).toBe(1);
  });

  test('counts each from its own BEGIN', () => {
    const { stage, client } = start(limit);
    for (let index = 0; index < 4; index++) {
      client.send(say.query('begin'), say.query('insert 1'));
      stage.pass(5_000);
      client.send(say.query('commit'));
    }
    client.send(say.query('begin'));
    stage.pass(9_000);
    expect(ended(client)).toBe(null);
  });

  test('does not concern a statement outside of one', () => {
    const { stage, client } = start(limit);
    client.send(say.query('hang'));
    stage.pass(20_000);
    expect(ended(client)).toBe(null);
  });
});

describe('client_idle', () => {
  const limit = { clientIdleMs: 10_000 };

  test('ends a client that has nothing to say', () => {
    const { stage, client } = start(limit);
    client.send(say.query('select 1'));
    stage.pass(9_900);
    expect(ended(client)).toBe(null);
    stage.pass(300);
    expect(ended(client)).toBe('57P05');
    expect(stage.service.clients).toBe(0);
  });

  test.each<[string, readonly Buffer[]]>([
    ['a transaction', [say.query('begin')]],
    ['a statement', [say.query('hang')]],
  ])('does not concern %s', (_name, messages) => {
    const { stage, client } = start(limit);
    client.send(...messages);
    stage.pass(30_000);
    expect(ended(client)).toBe(null);
  });

  test('does not concern one that waits for a server', () => {
    const { stage, client } = start({ ...limit });
    const holder = stage.client('holder');
    holder.send(say.query('begin; insert 1'));
    client.send(say.query('select 1'));
    stage.pass(20_000);
    expect(ended(client)).toBe(null);
  });
});

test('off is for ever', () => {
  const { stage, client } = start({});
  client.send(say.query('begin'), say.run('insert 1'), sync);
  stage.clock.advance(7 * 24 * 3_600_000);
  stage.settle();
  expect(ended(client)).toBe(null);
});
