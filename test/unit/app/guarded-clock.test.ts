import { expect, test } from 'vitest';
import { guardClock } from '../../../src/app/guarded-clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLog } from '../../support/fake-log.ts';

test('a callback that throws is logged, and the next one runs', () => {
  const clock = new FakeClock();
  const log = new FakeLog();
  const guarded = guardClock(clock, log);
  let runs = 0;
  guarded.every(10, () => {
    runs++;
    throw new Error('broken');
  });
  guarded.after(5, () => {
    throw new Error('broken as well');
  });
  clock.advance(30);
  expect(runs).toBe(3);
  expect(log.lines.map(({ message }) => message)).toEqual(Array(4).fill('timer failed'));
});
