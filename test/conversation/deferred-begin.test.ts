/** BEGIN is answered before there is a server, and sent ahead of what first needs one. */
import { describe, expect, test } from 'vitest';
import { flush, sync } from '../../src/wire/constants.ts';
import { converse } from './converse.ts';
import * as say from './say.ts';

describe('BEGIN', () => {
  test('takes no server', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      alice.send(say.query('BEGIN ISOLATION LEVEL SERIALIZABLE'));
      bob.send(say.query('select 1'));
      alice.send(say.query('select 1'));
      alice.send(say.query('commit'));
    }));

  test('twice is a warning, before and after there is a server', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('start transaction'));
      alice.send(say.query('select 1'));
      alice.send(say.query('begin'));
      alice.send(say.query('rollback'));
    }));

  test('and its end may never reach a server', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin'));
      alice.send(say.query('commit'));
      alice.send(say.query('start transaction'));
      alice.send(say.query('rollback'));
      alice.send(say.run('begin'), sync, say.run('end'), sync);
      alice.send(say.query('begin'), say.query('commit'), say.query('begin'), say.query('abort'));
    }));

  test('COMMIT of nothing is for the server to answer', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('commit'));
    }));

  test('by the extended protocol, described as a driver does', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(
        say.parse('', 'begin'),
        say.describe('S', ''),
        flush,
        say.bind('', ''),
        say.describe('P', ''),
        say.execute(''),
        sync,
      );
      alice.send(say.run('insert 1'), sync);
      alice.send(say.run('commit'), sync);
      expect(stage.server().committed).toEqual(['insert 1']);
    }));

  test('as a named statement that is used again', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.parse('b', 'begin'), say.bind('', 'b'), say.execute(''), sync);
      alice.send(say.query('select 1'));
      alice.send(say.query('commit'));
      alice.send(say.bind('', 'b'), say.execute(''), sync);
      alice.send(say.query('select 1'));
      alice.send(say.bind('', 'b'), say.execute(''), sync);
      alice.send(say.query('rollback'));
    }));

  test('and a statement in one batch', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.run('begin'), say.run('insert 1'), sync);
      alice.send(say.run('commit'), sync);
      expect(stage.server().committed).toEqual(['insert 1']);
    }));

  test('bound but not executed when something else needs a server', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(
        say.parse('', 'begin'),
        say.bind('p', ''),
        say.parse('s', 'select 1'),
        say.execute('p'),
        say.bind('', 's'),
        say.execute(''),
        sync,
      );
      alice.send(say.query('commit'));
    }));

  test('in a portal that is closed is not run', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(
        say.parse('', 'begin'),
        say.bind('', ''),
        say.close('P', ''),
        say.execute(''),
        sync,
      );
    }));

  test('with more than itself goes to the server', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      alice.send(say.query('begin; select 1'));
      alice.send(say.query('commit'));
    }));

  test('waits for nothing, and its first statement waits its turn', () =>
    converse((stage) => {
      const alice = stage.client('alice');
      const bob = stage.client('bob');
      bob.send(say.query('begin'), say.query('insert 1'));
      alice.send(say.query('begin'), say.query('insert 2'), say.query('commit'));
      bob.send(say.query('commit'));
      expect(stage.server().committed).toEqual(['insert 1', 'insert 2']);
    }));
});

test('an error before there is a server leaves a failed transaction', () =>
  converse((stage) => {
    const alice = stage.client('alice');
    alice.send(say.run('begin'), sync);
    alice.send(say.bind('', 'nobody'), sync);
    alice.send(say.query('select 1'));
    alice.send(say.query('begin'));
    alice.send(say.run('select 1'), sync);
    alice.send(say.parse('r', 'rollback'), say.bind('', 'r'), say.execute(''), sync);
    alice.send(say.query('select 1'));
  }));
