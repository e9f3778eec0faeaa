/**
 * A refusal in every position it can have (the table in `src/session/reject.ts`), and what is so
 * afterwards: the status the client sees, the next statement, and what the server has committed.
 */
import { describe, expect, test } from 'vitest';
import { sync } from '../../src/wire/constants.ts';
import { converse } from './converse.ts';
import * as say from './say.ts';

/** A service that refuses what would tie a client to its server: `listen c`, for one. */
const noPins = { pin: 'refuse' } as const;

describe('a refused query', () => {
  test('without a server never gets to one', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('listen c'));
      alice.send(say.query('select 1'));
    }, noPins));

  test('fails a transaction that no server knows of', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('listen c'));
      alice.send(say.query('insert 1'));
      alice.send(say.query('commit'));
      alice.send(say.query('insert 2'));
      expect(stage.server().committed).toEqual(['insert 2']);
    }, noPins));

  test('fails the transaction on the server, and nothing of it is committed', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('insert 1'));
      alice.send(say.query('listen c'));
      alice.send(say.query('insert 2'));
      alice.send(say.query('commit'));
      expect(stage.server().committed).toEqual([]);
      expect(stage.pool.idle.length).toBe(1);
    }, noPins));

  test('is refused whole, whatever stands before it in its string', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('insert 1; listen c; insert 2'));
      alice.send(say.query('insert 3'));
      expect(stage.server().committed).toEqual(['insert 3']);
    }, noPins));

  test('is answered in its turn when it was sent behind others', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('select 1'), say.query('listen c'), say.query('rollback'));
    }, noPins));

  test('ends with the transaction that its own text would have ended', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('listen c'));
      alice.send(say.query('rollback; select 1'));
      expect(stage.pool.idle.length).toBe(1);
    }, noPins));

  test('function calls are refused in a transaction that has failed here', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('listen c'));
      alice.send(say.functionCall(1));
      alice.send(say.query('rollback'));
    }, noPins));
});

describe('a refused Execute', () => {
  test('rolls back the work of its un-Synced batch', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('insert 1'), say.run('listen c'), say.run('insert 2'), sync);
      alice.send(say.run('insert 3'), sync);
      expect(stage.server().committed).toEqual(['insert 3']);
    }, noPins));

  test('fails an open transaction', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.run('insert 1'), sync);
      alice.send(say.run('listen c'), sync);
      alice.send(say.run('insert 2'), sync);
      alice.send(say.query('commit'));
      expect(stage.server().committed).toEqual([]);
    }, noPins));

  test('leaves the batches before and behind it alone', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(
        say.run('insert 1'),
        sync,
        say.run('listen c'),
        say.run('insert 2'),
        sync,
        say.run('insert 3'),
        sync,
      );
      expect(stage.server().committed).toEqual(['insert 1', 'insert 3']);
    }, noPins));

  test('is not seen when something before it fails', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('fail'), say.run('listen c'), sync);
    }, noPins));
});

describe('names', () => {
  test('a name that is taken is refused, and the statement that has it stays', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('s', 'select 1'), sync);
      alice.send(say.parse('s', 'select 2'), say.bind('', 's'), say.execute(''), sync);
      alice.send(say.bind('', 's'), say.execute(''), sync);
    }));

  test('a name that is taken fails the batch it is in', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('insert 1'), say.parse('s', 'select 1'), say.parse('s', 'select 2'), sync);
      expect(stage.server().committed).toEqual([]);
    }));

  test('Bind and Describe of names nobody has given', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.bind('', 'nobody'), say.execute(''), sync);
      alice.send(say.describe('S', 'nobody'), sync);
      alice.send(say.bind('', ''), sync);
      alice.send(say.query('begin'));
      alice.send(say.run('insert 1'), say.describe('S', 'nobody'), sync);
      alice.send(say.bind('', 'nobody'), sync);
      alice.send(say.query('rollback'));
    }));

  test('are judged when it is known how the batch before has ended', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(
        say.run('fail'),
        say.parse('s', 'select 1'),
        sync,
        say.parse('s', 'select 2'),
        sync,
      );
      alice.send(say.bind('', 's'), say.execute(''), sync);
    }));
});

describe('capacity', () => {
  const short = { pool: { queueTimeoutMs: 1_000 } };

  test('who has waited too long is refused and may try again', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      bob.send(say.query('begin; insert 1'));
      alice.send(say.query('select 1'));
      stage.note('a second passes');
      stage.pass(1_000);
      bob.send(say.query('commit'));
      alice.send(say.query('select 1'));
    }, short));

  test('who has waited too long in a batch skips the rest of it', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      bob.send(say.query('begin; insert 1'));
      alice.send(say.run('select 1'), sync, say.query('select 2'));
      stage.note('a second passes');
      stage.pass(1_000);
      stage.note('and another one');
      stage.pass(1_000);
      bob.send(say.query('commit'));
    }, short));

  test('a transaction that gets no server has failed until it is rolled back', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      bob.send(say.query('begin; insert 1'));
      alice.send(say.query('begin'));
      alice.send(say.query('insert 2'));
      stage.note('a second passes');
      stage.pass(1_000);
      alice.send(say.run('insert 3'), sync);
      alice.send(say.query(''));
      bob.send(say.query('commit'));
      alice.send(say.query('rollback'));
      expect(stage.server().committed).toEqual(['insert 1']);
    }, short));

  test('a full queue refuses at once', () =>
    converse(
      (stage) => {
        const alice = stage.client('alice');
        const bob = stage.client('bob');
        const carol = stage.client('carol');
        bob.send(say.query('begin; insert 1'));
        alice.send(say.query('select 1'));
        carol.send(say.query('select 2'));
        bob.send(say.query('commit'));
        carol.send(say.query('select 2'));
      },
      { pool: { maxQueue: 1 } },
    ));

  test('a server that cannot be reached refuses whoever waits for it', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      stage.server().shutDown();
      stage.unreachable = true;
      alice.send(say.query('select 1'));
      stage.unreachable = false;
      stage.pass(1_000);
      alice.send(say.query('select 1'));
    }));
});

test('transaction blocks are refused in statement pooling', () =>
  converse(
    (stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('insert 1; begin; insert 2'));
      alice.send(say.run('begin'), sync);
      alice.send(say.query('insert 3'));
      expect(stage.server().committed).toEqual(['insert 3']);
    },
    { pool: { mode: 'statement' } },
  ));
