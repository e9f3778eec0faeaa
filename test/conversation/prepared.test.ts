/** Prepared statements have the client's names on one side and the server's on the other. */
import { describe, expect, test } from 'vitest';
import { flush, sync } from '../../src/wire/constants.ts';
import { converse } from './converse.ts';
import * as say from './say.ts';
import type { Stage } from './stage.ts';

const twoServers = { pool: { size: 2 } };

const use = (name: string): Buffer =>
  Buffer.concat([say.bind('', name), say.describe('P', ''), say.execute(''), sync]);

/** Makes `bob` hold server1, so that the next client gets server2. */
function occupy(stage: Stage): () => void {
  const bob = stage.client('bob');
  bob.send(say.query('begin; insert 0'));
  return () => bob.send(say.query('commit'));
}

describe('one text', () => {
  test('of two clients is one statement of the server', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.parse('a', 'select 1'), say.describe('S', 'a'), sync);
      bob.send(say.parse('b', 'select 1'), say.describe('S', 'b'), sync);
      bob.send(use('b'));
      alice.send(use('a'));
      expect([...stage.server().statements.keys()]).toEqual(['sluice_1']);
    }));

  test('with other parameter types is another statement', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1', [23]), say.parse('b', 'select 1', [25]), sync);
      expect([...stage.server().statements.keys()]).toEqual(['sluice_1', 'sluice_2']);
    }));

  test('of two names of a client lives until both are closed', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), say.parse('b', 'select 1'), sync);
      alice.send(say.close('S', 'a'), sync);
      alice.send(use('b'));
      alice.send(use('a'));
    }));

  test('a made-up ParseComplete keeps its place among the replies of a pipeline', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.parse('a', 'select 1'), sync);
      bob.send(
        say.run('insert 1'),
        say.parse('b', 'select 1'),
        say.bind('', 'b'),
        say.execute(''),
        say.close('S', 'b'),
        say.run('insert 2'),
        sync,
      );
    }));

  test('a made-up ParseComplete is not said when something before it fails', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.parse('a', 'select 1'), sync);
      bob.send(say.run('fail'), say.parse('b', 'select 1'), sync);
      bob.send(use('b'));
      alice.send(use('a'));
    }));
});

describe('another server', () => {
  test('is brought the statement, and nobody sees it', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      occupy(stage);
      alice.send(use('a'));
      alice.send(say.describe('S', 'a'), sync);
    }, twoServers));

  test('may refuse the statement, in the place of the Bind', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      occupy(stage);
      alice.send(say.query('select 1'));
      stage.note('server2 has another schema');
      stage.server(2).muted = true;
      alice.send(say.bind('', 'a'), say.execute(''), sync);
      stage.server(2).peer.send(say.error('42P01', 'relation "t" does not exist'), say.ready('I'));
      stage.server(2).muted = false;
      stage.note('and then no more');
      alice.send(use('a'));
    }, twoServers));

  test('does not lose the unnamed statement', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('', 'select 2'), sync);
      const free = occupy(stage);
      alice.send(use(''));
      free();
      alice.send(use(''));
      alice.send(say.describe('S', ''), sync);
    }, twoServers));
});

describe('the unnamed statement', () => {
  test('of another client is not mistaken for one’s own', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.parse('', 'select 1'), sync);
      bob.send(say.parse('', 'select 2'), sync);
      alice.send(use(''));
      bob.send(use(''));
    }));

  test('of another client is not run either when bringing one’s own was skipped', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.parse('', 'select 1'), sync);
      bob.send(say.parse('', 'insert of bob'), sync);
      alice.send(say.execute('nothing'), say.bind('', ''), say.execute(''), sync, use(''));
      expect(stage.server().committed).toEqual([]);
    }));

  test('is gone after a simple query', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('', 'select 1'), sync);
      alice.send(say.query('select 2'));
      alice.send(use(''));
    }));

  test('is gone when its Parse fails, and stays when that is skipped', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('', 'select 1'), sync);
      alice.send(say.execute('nothing'), say.parse('', 'select 2'), sync);
      alice.send(use(''));
      alice.send(say.parse('', 'syntax'), sync);
      alice.send(use(''));
    }));
});

describe('errors', () => {
  test('a Parse that fails leaves its name free', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'syntax'), sync);
      alice.send(say.bind('', 'a'), sync);
      alice.send(say.parse('a', 'select 1'), use('a'));
    }));

  test('what a batch skipped has not happened, on either side', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(
        say.run('fail'),
        say.close('S', 'a'),
        say.parse('a', 'select 2'),
        say.parse('b', 'select 3'),
        sync,
      );
      alice.send(use('a'));
      alice.send(use('b'));
      alice.send(say.parse('b', 'select 3'), use('b'));
    }));

  test('a statement that is named as well survives a skipped Parse without a name', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.run('fail'), say.parse('', 'select 1'), sync);
      alice.send(use('a'));
    }));

  test('a Parse known to the server, sent behind ROLLBACK of a failed transaction', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.query('begin; fail'));
      alice.send(say.query('begin; insert 1'), say.query('fail'));
      alice.send(say.run('rollback'), say.parse('b', 'select 1'), use('b'));
    }));

  test('Parse in a failed transaction', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.query('begin; insert 1'));
      alice.send(say.query('fail'));
      alice.send(say.parse('b', 'select 1'), sync);
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.query('rollback'));
      alice.send(use('a'));
    }));
});

describe('room', () => {
  test('is made by closing the statement used longest ago', () =>
    converse(
      (stage) => {
        const alice = stage.client('alice');
        alice.send(say.parse('a', 'select 1'), say.parse('b', 'select 2'), sync);
        alice.send(use('a'));
        alice.send(say.parse('c', 'select 3'), use('c'));
        alice.send(use('b'));
        expect([...stage.server().statements.keys()]).toEqual(['sluice_3', 'sluice_2']);
      },
      { pool: { preparedStatements: 2 } },
    ));

  test('is not made by a Close that was skipped', () =>
    converse(
      (stage) => {
        const alice = stage.client('alice');
        alice.send(say.parse('a', 'select 1'), sync);
        alice.send(say.run('fail'), say.parse('b', 'select 2'), sync);
        alice.send(use('a'));
        expect([...stage.server().statements.keys()]).toEqual(['sluice_1', '']);
      },
      { pool: { preparedStatements: 1 } },
    ));
});

describe('taking names back', () => {
  test('Close, and then Bind', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.close('S', 'a'), flush, say.bind('', 'a'), sync);
      alice.send(say.close('S', 'never there'), sync);
    }));

  test('DEALLOCATE of one name', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), say.parse('B', 'select 2'), sync);
      alice.send(say.query('DEALLOCATE a'));
      alice.send(use('a'));
      alice.send(say.query('deallocate prepare "B"'));
      alice.send(say.query('deallocate b'));
      expect(stage.server().statements.size).toBe(2);
    }));

  test('DEALLOCATE by the extended protocol, and once more', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.run('deallocate a'), sync);
      alice.send(say.bind('', 'a'), sync);
      alice.send(say.run('deallocate a'), sync);
    }));

  test('DEALLOCATE in a transaction, and in one that has failed', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), say.parse('b', 'select 1'), sync);
      alice.send(say.query('begin'), say.query('deallocate a'), say.query('insert 1'));
      alice.send(say.query('fail'), say.query('deallocate b'));
      alice.send(say.query('rollback'));
      alice.send(use('b'));
    }));

  test('DEALLOCATE ALL takes them from the server, for everybody', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.parse('a', 'select 1'), sync);
      bob.send(say.parse('b', 'select 1'), sync);
      alice.send(say.query('deallocate all'));
      alice.send(say.bind('', 'a'), sync);
      bob.send(use('b'));
    }));

  test('DEALLOCATE ALL that fails takes none', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.query('begin; insert 1'), say.query('fail'), say.query('deallocate all'));
      alice.send(say.query('rollback'));
      alice.send(use('a'));
    }));

  test('DISCARD ALL in one write with what comes next', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), say.parse('b', 'select 2'), sync);
      alice.send(say.query('DISCARD ALL'), say.run('select 3'), sync);
      alice.send(say.parse('b', 'select 2'), use('b'));
      alice.send(say.query('DISCARD ALL'), say.parse('a', 'select 1'), use('a'), use('b'));
    }));

  test('DISCARD ALL in a batch, and a name that was taken before it', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('a', 'select 1'), sync);
      alice.send(say.run('discard all'), say.parse('a', 'select 2'), use('a'));
      expect([...stage.server().statements.values()]).toContain('select 2');
    }));
});
