/** Whose reply is whose, and what stands between them. */
import { describe, expect, test } from 'vitest';
import { bindComplete, flush, sync } from '../../src/wire/constants.ts';
import { converse } from './converse.ts';
import * as say from './say.ts';

describe('an error in a batch', () => {
  const batch = (text: string): Buffer[] => [
    say.run('insert 1'),
    say.parse('', text),
    say.describe('S', ''),
    say.bind('', ''),
    say.describe('P', ''),
    say.execute(''),
    say.close('P', ''),
    say.run('insert 2'),
    sync,
    say.query('select 1'),
  ];

  test('at Parse', () =>
    converse((stage) => {
      stage.client('alice').send(...batch('syntax'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('at Bind', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('insert 1'), say.bind('', 'nobody'), say.run('insert 2'), sync);
      alice.send(say.query('select 1'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('at Describe', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('insert 1'), say.describe('P', 'nobody'), say.run('insert 2'), sync);
      alice.send(say.query('select 1'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('at Execute', () =>
    converse((stage) => {
      stage.client('alice').send(...batch('fail'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('at Sync', () =>
    converse((stage) => {
      stage.client('alice').send(...batch('deferred 1'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('makes a query behind it go unheard until Sync', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('fail'), say.query('insert 1'), say.functionCall(1));
      alice.send(say.query('insert 2'));
      alice.send(sync);
      alice.send(say.query('insert 3'));
      expect(stage.server().committed).toEqual(['insert 3']);
      expect(stage.pool.idle.length).toBe(1);
    }));
});

describe('a batch', () => {
  test('that is flushed and not yet synced keeps its server', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.parse('', 'select 1'), say.describe('S', ''), flush);
      bob.send(say.query('select 2'));
      alice.send(say.bind('', ''), say.execute(''), flush);
      alice.send(sync);
    }));

  test('that a simple query ends gives its server back', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('insert 1'), say.query('select 1'));
      expect(stage.server().committed).toEqual(['insert 1']);
      expect(stage.pool.idle.length).toBe(1);
      alice.send(sync);
    }));

  test('of Syncs and Flushes alone needs no server', () =>
    converse((stage) => {
      stage.client('alice').send(flush, sync, sync, say.close('P', 'p'), flush, sync);
    }));

  test('reads a portal in pieces, over more than one Sync', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(
        say.parse('', 'select 5'),
        say.bind('p', ''),
        say.execute('p', 2),
        flush,
        say.execute('p', 2),
        sync,
      );
      alice.send(say.execute('p', 2), say.close('P', 'p'), sync);
      alice.send(say.query('commit'));
    }));

  test('of an empty statement', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run(''), sync);
      alice.send(say.query(''));
      alice.send(say.query(' ; ;'));
    }));

  test('is answered in the order it was sent, through waits and servers', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      bob.send(say.query('begin; insert 1'));
      alice.send(say.query('select 1'), say.run('select 2'), sync, say.query('notice'));
      bob.send(say.query('commit'));
    }));
});

test('a function call', () =>
  converse((stage) => {
    const alice = stage.client('alice');
    alice.send(say.functionCall(1), say.functionCall(2));
    alice.send(say.query('begin'));
    alice.send(say.functionCall(3));
    alice.send(say.query('fail'));
    alice.send(say.functionCall(4));
    alice.send(say.query('rollback'));
  }));

describe('what nobody has asked for', () => {
  test('notices and notifications stand where the server put them', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('notice; notify; select 1'));
      alice.send(say.run('notice'), say.run('notify'), sync);
    }));

  test('goes to whoever holds the server, and to nobody when nobody does', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin; insert 1'));
      stage.server().peer.send(say.notification(7, 'channel', 'for alice'));
      alice.send(say.query('commit'));
      stage.server().peer.send(say.notice('for nobody'), say.notification(7, 'channel', 'lost'));
      alice.send(say.query('select 1'));
    }));

  test('a setting that has changed is the client’s wherever it goes next', () =>
    converse(
      (stage) => {
        const alice = stage.client('alice', { application_name: 'a' });
        const bob = stage.client('bob');
        alice.send(say.query("set timezone to 'Asia/Seoul'"));
        bob.send(say.query('begin; insert 1'));
        alice.send(say.query('select 1'));
        bob.send(say.query('commit'));
        bob.send(say.query('select 2'));
      },
      { pool: { size: 2 } },
    ));

  test('a setting made in a transaction that is rolled back', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.query('begin'), say.query("set timezone to 'Asia/Seoul'"));
      alice.send(say.query('rollback'));
      bob.send(say.query('select 1'));
      alice.send(say.query('select 1'));
    }));
});

describe('a server that goes', () => {
  test('in good order, while it is idle', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      stage.server().shutDown();
      alice.send(say.query('select 1'));
      expect(stage.pool.size).toBe(1);
    }));

  test('before a reply', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('hang'));
      stage.server().peer.reset();
      expect(stage.service.clients).toBe(0);
    }));

  test('with its last words in the place of a reply', () =>
    converse((stage) => {
      stage.client('alice').send(say.query('die'), say.query('select 1'));
      expect(stage.service.clients).toBe(0);
    }));

  test('in the middle of a row', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      stage.server().muted = true;
      alice.send(say.query('select 1'));
      const { peer } = stage.server();
      peer.send(say.columns('a'), say.row('whole'));
      peer.sendRaw(say.row('half of this one').subarray(0, 12));
      peer.reset();
      expect(stage.service.clients).toBe(0);
    }));

  test('while it may be committing', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'));
      stage.server().muted = true;
      alice.send(say.query('commit'));
      stage.server().peer.reset();
    }));

  test('while a write that needs no COMMIT is under way', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      stage.server().muted = true;
      alice.send(say.run('insert 1'), sync);
      stage.server().peer.reset();
    }));

  test('inside a transaction that nobody was working in', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query('insert 1'));
      stage.server().shutDown();
      expect(stage.service.clients).toBe(0);
    }));
});

describe('a server that breaks the protocol is closed', () => {
  test.each([
    ['ReadyForQuery that nobody is owed', say.ready('I')],
    ['a reply without a question', say.complete('SELECT 1')],
    ['a row without a question', say.row('1')],
    ['a message that does not exist', Buffer.from('?\0\0\0\x04')],
    ['a length below four', Buffer.from('Z\0\0\0\x03')],
  ])('%s, while idle', (_name, bytes) =>
    converse((stage) => {
      const alice = stage.client('alice');
      stage.server().peer.sendRaw(bytes);
      expect(stage.pool.size).toBe(0);
      expect(stage.log.messages('error')).toEqual(['server broke the protocol']);
      alice.send(say.query('select 1'));
    }),
  );

  test('a reply to another question', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      stage.server().muted = true;
      alice.send(say.parse('', 'select 1'), sync);
      stage.server().peer.send(bindComplete);
      expect(stage.service.clients).toBe(0);
    }));
});
