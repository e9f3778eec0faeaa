/**
 * What becomes of a client's last words and of its server when it leaves at an awkward moment.
 * Whatever it was, the server must end up idle or closed, and nothing may have been committed that
 * Postgres would not have committed.
 */
import { describe, expect, test } from 'vitest';
import * as constants from '../../src/wire/constants.ts';
import * as say from './say.ts';
import { Stage, type StageOptions } from './stage.ts';

/** Servers that are neither idle nor closed. */
function busy(stage: Stage): number {
  const { connecting, leased, checking, cleaning, cancelling } = stage.pool;
  const lists = [connecting, leased, checking, cleaning, cancelling];
  return lists.reduce((sum, list) => sum + list.length, 0);
}

/** Somebody else is served, within the budget of one server. */
function expectServed(stage: Stage): void {
  const other = stage.client('other');
  const before = other.count('ReadyForQuery');
  other.send(say.query('select 1'));
  stage.pass(200);
  expect(other.count('ReadyForQuery')).toBe(before + 1);
  expect(busy(stage)).toBe(0);
}

const insert = [say.parse('', 'insert one'), say.bind('', ''), say.execute('')];
const copy = [say.parse('', 'copy x from stdin'), say.bind('', ''), say.execute('')];

const LEAVINGS = ['says goodbye', 'vanishes'] as const;
const WISHES: readonly StageOptions[] = [{ cancelOrphans: true }, { cancelOrphans: false }];

describe.each(LEAVINGS)('a client that %s', (leaving) => {
  const leave = (stage: Stage, client: ReturnType<Stage['client']>): void => {
    if (leaving === 'says goodbye') client.send(constants.terminate);
    else client.reset();
    stage.pass(200);
  };

  describe.each(WISHES)('with %o', (options) => {
    test.each([
      ['a simple COPY that has begun', [say.query('copy x from stdin')]],
      ['an extended COPY that has begun', [...copy, constants.sync]],
      ['an extended COPY without its Sync', [...copy, constants.flush]],
      [
        'an extended COPY that is over, but for its Sync',
        [...copy, constants.sync, say.copyData('1\n'), constants.copyDone],
      ],
      ['an extended COPY that has failed', [...copy, constants.sync, say.copyFail('no')]],
      ['work that was not Synced', [...insert, constants.flush]],
      ['a batch that has failed and was not Synced', [say.parse('', 'syntax'), constants.flush]],
    ])('in the middle of %s', (_what, messages) => {
      const stage = new Stage(options);
      const client = stage.client('client');
      client.send(...messages);
      leave(stage, client);
      expectServed(stage);
      expect(stage.servers.flatMap((server) => server.committed)).not.toContain('insert one');
    });

    test.each([
      ['in a string', [say.query('hang; copy x from stdin')]],
      ['in a batch', [say.query('hang'), ...copy, constants.sync]],
      ['in a batch without its Sync', [say.query('hang'), ...copy]],
    ])('before its COPY has begun, %s', (_where, messages) => {
      const stage = new Stage(options);
      const client = stage.client('client');
      client.send(...messages);
      expect(busy(stage)).toBe(1);
      leave(stage, client);
      stage.server().finish();
      stage.pass(200);
      expectServed(stage);
    });
  });
});

describe('what came in one packet with the end', () => {
  test('is carried out before a goodbye', () => {
    const stage = new Stage();
    const client = stage.client('client');
    client.send(say.query('insert one'), constants.terminate);
    stage.pass(200);
    expect(stage.server().committed).toEqual(['insert one']);
    expectServed(stage);
  });

  test('is carried out before a breach of the protocol', () => {
    for (const nonsense of [Buffer.from('!nonsense'), Buffer.from([0x51, 0, 0, 0, 3])]) {
      const stage = new Stage();
      const client = stage.client('client');
      client.sendRaw(Buffer.concat([say.query('insert one'), nonsense]));
      stage.pass(200);
      expect(client.ended).toBe(true);
      expectServed(stage);
    }
  });

  test('may end in a message that its reader refuses', () => {
    const stage = new Stage();
    const client = stage.client('client');
    const nameless = Buffer.from([0x50, 0, 0, 0, 5, 0x61]);
    client.sendRaw(Buffer.concat([say.query('insert one'), nameless]));
    stage.pass(200);
    expect(client.ended).toBe(true);
    expectServed(stage);
  });
});
