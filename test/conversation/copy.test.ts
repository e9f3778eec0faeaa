/** COPY, where the server reads on without answering, and what is left on the way when it fails. */
import { describe, expect, test } from 'vitest';
import { copyDone, flush, sync } from '../../src/wire/constants.ts';
import { converse } from './converse.ts';
import * as say from './say.ts';

const copyIn = 'copy t from stdin';

describe('COPY FROM STDIN by a simple query', () => {
  test('takes data until it is done', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query(copyIn));
      alice.send(say.copyData('1'));
      alice.send(say.copyData('2'), copyDone);
      alice.send(say.query('select 1'));
      expect(stage.server().committed).toEqual(['copied 1', 'copied 2']);
    }));

  test('all in one write with what follows', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query(copyIn), say.copyData('1'), copyDone, say.query('select 1'));
      expect(stage.server().committed).toEqual(['copied 1']);
    }));

  test('ignores Sync and Flush on the way', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query(copyIn));
      alice.send(say.copyData('1'), flush, sync, copyDone);
      expect(stage.pool.idle.length).toBe(1);
    }));

  test('is given up by the client', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query(copyIn));
      alice.send(say.copyData('1'), say.copyFail('no more'));
      alice.send(say.query('select 1'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('fails, and what was still on its way reaches nobody', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.query(copyIn));
      alice.send(say.copyData('bad'), say.copyData('2'), say.copyData('3'));
      bob.send(say.query('select 1'));
      alice.send(say.copyData('4'), copyDone);
      alice.send(say.query('select 2'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('fails inside a transaction', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'), say.query(copyIn));
      alice.send(say.copyData('bad'), say.copyData('2'), copyDone);
      alice.send(say.query('rollback'));
    }));

  test('one after the other in one string', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('copy a from stdin; insert 1; copy b from stdin'));
      alice.send(say.copyData('1'), copyDone, say.copyData('2'), copyDone);
      expect(stage.server().committed).toEqual(['copied 1', 'insert 1', 'copied 2']);
      expect(stage.pool.idle.length).toBe(1);
    }));

  test('a message that is none of COPY’s ends the client', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query(copyIn));
      alice.send(say.copyData('1'), say.parse('', 'select 1'));
      expect(stage.service.clients).toBe(0);
      expect(stage.server().committed).toEqual([]);
    }));
});

describe('COPY FROM STDIN by the extended protocol', () => {
  test('with Sync behind its end', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run(copyIn), flush);
      alice.send(say.copyData('1'), copyDone, sync);
      alice.send(say.query('select 1'));
      expect(stage.server().committed).toEqual(['copied 1']);
    }));

  test('with a Sync ahead of the data, which the server swallows', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run(copyIn), sync);
      alice.send(say.copyData('1'), copyDone, sync);
      expect(stage.server().committed).toEqual(['copied 1']);
      expect(stage.pool.idle.length).toBe(1);
    }));

  test('all in one write, the swallowed Sync too', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run(copyIn), sync, say.copyData('1'), copyDone, sync, say.query('select 1'));
      expect(stage.server().committed).toEqual(['copied 1']);
    }));

  test('fails, and skips to Sync', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('insert 1'), say.run(copyIn), flush);
      alice.send(say.copyData('bad'));
      alice.send(say.copyData('2'), copyDone, sync);
      alice.send(say.query('select 1'));
      expect(stage.server().committed).toEqual([]);
    }));

  test('fails before the data is sent', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('fail'), say.run(copyIn), say.copyData('1'), copyDone, sync);
      alice.send(say.query('select 1'));
      expect(stage.pool.idle.length).toBe(1);
    }));
});

test('a COPY that never begins, with data and two Syncs behind it', () =>
  converse((stage) => {
    const alice = stage.client('alice');
    alice.send(say.run('fail'), sync, say.copyData('1'), copyDone, sync, say.query('select 1'));
  }));

test('two COPYs and a query in one write, the first of which fails', () =>
  converse((stage) => {
    const alice = stage.client('alice');
    alice.send(say.query(copyIn), say.copyData('bad'), say.copyData('1'), copyDone);
    alice.send(
      ...[say.query(copyIn), say.copyData('bad'), copyDone],
      ...[say.query(copyIn), say.copyData('2'), copyDone],
      say.query('select 1'),
    );
    expect(stage.server().committed).toEqual(['copied 2']);
  }));

describe('COPY TO STDOUT', () => {
  test('by a simple query and by the extended protocol', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('copy t to stdout'));
      alice.send(say.run('copy t to stdout'), sync);
    }));

  test('fails on the way', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      stage.server().muted = true;
      alice.send(say.query('copy t to stdout'));
      stage
        .server()
        .peer.send(
          say.copyOut(),
          say.copyData('1\n'),
          say.error('57014', 'canceling statement'),
          say.ready('I'),
        );
      stage.server().muted = false;
      alice.send(say.query('select 1'));
    }));
});

test('data that nobody has asked for is dropped', () =>
  converse((stage) => {
    const alice = stage.client('alice');
    alice.send(say.copyData('1'), copyDone, say.copyFail('x'), say.query('select 1'));
    alice.send(say.query('begin; insert 1'));
    alice.send(say.copyData('2'), copyDone, say.query('commit'));
  }));
