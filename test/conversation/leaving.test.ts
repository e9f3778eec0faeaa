/** What becomes of a server whose client leaves, and of cancel requests. */
import { describe, expect, test } from 'vitest';
import { flush, sync, terminate } from '../../src/wire/constants.ts';
import { converse } from './converse.ts';
import * as say from './say.ts';
import type { ScriptedPeer } from './scripted-peer.ts';
import type { Stage } from './stage.ts';

/** All servers are free for the next client, and no session is left. */
function expectRest(stage: Stage): void {
  // A server is cleaned when its cancel request is known to have arrived, which is looked at.
  stage.pass(10);
  expect(stage.service.clients, 'clients').toBe(0);
  expect(stage.pool.idle.length, 'idle servers').toBe(stage.pool.size);
  expect(stage.pool.budget.used, 'slots in use').toBe(stage.pool.size);
}

describe('a client that says goodbye', () => {
  test('gets done what it had sent', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('hang'), say.query('insert 1'), say.run('insert 2'), sync, terminate);
      alice.end();
      stage.note('the first statement ends');
      stage.server().finish();
      expect(stage.server().committed).toEqual(['insert 1', 'insert 2']);
      expectRest(stage);
    }));

  test('without COMMIT gets nothing', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'), terminate);
      alice.end();
      expect(stage.server().committed).toEqual([]);
      expectRest(stage);
    }));

  test('is not cancelled', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('hang'), terminate);
      alice.end();
      stage.note('the statement ends');
      stage.server().finish();
      expectRest(stage);
    }));

  test('without a server leaves nothing', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), terminate);
      alice.end();
      expectRest(stage);
    }));
});

describe('a client that vanishes', () => {
  test.each([
    ['with a FIN', (alice: ScriptedPeer) => alice.end()],
    ['with a reset', (alice: ScriptedPeer) => alice.reset()],
  ])('%s has its statement cancelled', (_name, leave) =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('hang'));
      leave(alice);
      expectRest(stage);
    }),
  );

  test('is not cancelled where the service does not want it', () =>
    converse(
      (stage) => {
        const alice = stage.client('alice');
        alice.send(say.query('hang'));
        alice.reset();
        stage.server().finish();
        expectRest(stage);
      },
      { cancelOrphans: false },
    ));

  test('has its transaction rolled back', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'));
      alice.reset();
      expect(stage.server().committed).toEqual([]);
      expectRest(stage);
    }));

  test('has its COMMIT carried out', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'), say.query('hang'), say.query('commit'));
      alice.reset();
      stage.note('the statement ahead of COMMIT ends');
      stage.server().finish();
      expect(stage.server().committed).toEqual(['insert 1']);
      expectRest(stage);
    }));

  test('in an un-Synced batch loses its work', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('insert 1'), flush);
      alice.reset();
      expect(stage.server().committed).toEqual([]);
      expectRest(stage);
    }));

  test('in the middle of a message that had begun to stream takes the server with it', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'));
      alice.sendRaw(say.query(`select '${'x'.repeat(300_000)}'`).subarray(0, 280_000));
      alice.reset();
      expect(stage.pool.size).toBe(0);
      expect(stage.pool.budget.used).toBe(0);
    }));

  test('in the middle of a small message takes nothing with it', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'));
      alice.sendRaw(say.query('insert 2').subarray(0, 9));
      alice.reset();
      expect(stage.server().committed).toEqual([]);
      expectRest(stage);
    }));

  test('in the middle of COPY data', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('copy t from stdin'));
      alice.send(say.copyData('1'));
      alice.reset();
      expect(stage.server().committed).toEqual([]);
      expectRest(stage);
    }));

  test('in the middle of COPY data of a batch', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('copy t from stdin'), sync);
      alice.send(say.copyData('1'));
      alice.reset();
      expect(stage.server().committed).toEqual([]);
      expectRest(stage);
    }));

  test('while it waits for a server leaves the queue', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      const carol = stage.client('carol');
      alice.send(say.query('begin; insert 1'));
      bob.send(say.query('insert 2'));
      carol.send(say.query('select 3'));
      bob.reset();
      alice.send(say.query('commit'));
      expect(stage.server().committed).toEqual(['insert 1']);
    }));

  test('leaves no state of its session behind', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.query('listen c'));
      alice.send(say.parse('a', 'select 1'), sync);
      bob.send(say.query('select 2'));
      stage.note('bob waits for a server, which alice is tied to');
      alice.reset();
      bob.send(say.parse('b', 'select 1'), say.bind('', 'b'), say.execute(''), sync);
    }));

  test('and a server that answers the ROLLBACK with its end', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'));
      stage.server().muted = true;
      alice.reset();
      stage.server().peer.reset();
      expect(stage.pool.size).toBe(0);
    }));
});

describe('a cancel request', () => {
  /** The key alice was given at login. */
  function cancel(stage: Stage, of: ScriptedPeer): ScriptedPeer {
    const { bytes } = of.received.find(({ name }) => name === 'BackendKeyData')!;
    const canceller = stage.connect('cancel');
    canceller.sendFirstPacket(say.cancelRequest(bytes.readInt32BE(5), bytes.subarray(9)));
    return canceller;
  }

  test('stops the statement of the client whose key it bears', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('hang'));
      expect(cancel(stage, alice).ended).toBe(true);
      alice.send(say.query('select 1'));
    }));

  test('stops a wait', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      bob.send(say.query('begin; insert 1'));
      alice.send(say.query('select 1'), say.query('select 2'));
      cancel(stage, alice);
      bob.send(say.query('commit'));
    }));

  test('of a client that has nothing under way stops nobody', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.query('select 1'));
      bob.send(say.query('hang'));
      cancel(stage, alice);
      stage.server().finish();
      expect(stage.servers.length).toBe(1);
    }));

  test('with a wrong secret, or of nobody, is answered in the same way', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('hang'));
      const { bytes } = alice.received.find(({ name }) => name === 'BackendKeyData')!;
      const wrong = Buffer.from(bytes.subarray(9));
      wrong[0]! ^= 1;
      for (const [id, key] of [
        [bytes.readInt32BE(5), wrong],
        [bytes.readInt32BE(5), Buffer.alloc(32)],
        [bytes.readInt32BE(5) + 1, wrong],
      ] as const) {
        const canceller = stage.connect('cancel');
        canceller.sendFirstPacket(say.cancelRequest(id, key));
        expect(canceller.ended).toBe(true);
      }
      expect(stage.servers.length).toBe(1);
      stage.server().finish();
    }));

  test('keeps the server from the next client until it can hit nothing any more', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.query('hang'));
      bob.send(say.query('select 2'));
      stage.holdCancels = true;
      cancel(stage, alice);
      stage.note('the server has answered alice, and has not closed the request');
      expect(stage.pool.cancelling.length).toBe(1);
      stage.note('it closes it');
      stage.finishCancels();
      expect(stage.pool.idle.length).toBe(1);
    }));
});
