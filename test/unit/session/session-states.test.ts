import { expect, test } from 'vitest';
import type { Session } from '../../../src/session/session.ts';
import { move, PHASE_NAMES, Phase } from '../../../src/session/session-states.ts';
import * as say from '../../conversation/say.ts';
import { Stage } from '../../conversation/stage.ts';

function session(stage: Stage): Session {
  const { idle, open, active } = stage.service;
  return (idle.first() ?? open.first() ?? active.first()) as Session;
}

const counts = (stage: Stage): number[] => [
  stage.service.idle.length,
  stage.service.open.length,
  stage.pool.waiting.length,
  stage.service.active.length,
];

test('a session is in the one list of its phase', () => {
  const stage = new Stage();
  const alice = stage.client('alice');
  const bob = stage.client('bob');
  expect(counts(stage)).toEqual([2, 0, 0, 0]);
  alice.send(say.query('begin'));
  expect(counts(stage)).toEqual([1, 1, 0, 0]);
  alice.send(say.query('insert 1'));
  expect(counts(stage)).toEqual([1, 0, 0, 1]);
  bob.send(say.query('select 1'));
  expect(counts(stage)).toEqual([0, 0, 1, 1]);
  alice.send(say.query('commit'));
  expect(counts(stage)).toEqual([2, 0, 0, 0]);
  alice.end();
  bob.reset();
  expect(counts(stage)).toEqual([0, 0, 0, 0]);
});

test.each([
  [Phase.Active, Phase.Waiting],
  [Phase.Active, Phase.Active],
  [Phase.Idle, Phase.Idle],
  [Phase.Open, Phase.Open],
  [Phase.Closed, Phase.Idle],
  [Phase.Closed, Phase.Closed],
] as const)('a move from %i to %i is asserted against', (from, to) => {
  const stage = new Stage();
  const client = stage.client('client');
  const one = session(stage);
  if (from === Phase.Open) client.send(say.query('begin'));
  else if (from === Phase.Active) client.send(say.query('begin; insert 1'));
  else if (from === Phase.Closed) one.close('test', false);
  expect(PHASE_NAMES[one.phase]).toBe(PHASE_NAMES[from]);
  expect(() => move(one, to)).toThrow('illegal session move');
});
