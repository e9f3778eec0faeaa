import { expect, test } from 'vitest';
import { LoopWatch } from '../../../src/telemetry/loop-watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('a loop that turns is fine, also for hours', () => {
  const clock = new FakeClock();
  const watch = new LoopWatch(clock);
  clock.advance(3 * 3_600_000);
  expect(watch.trouble()).toBeNull();
});

test('half a minute of standing still is trouble, until the loop turns again', () => {
  const clock = new FakeClock();
  const watch = new LoopWatch(clock);
  clock.block(29_000);
  expect(watch.trouble()).toBeNull();
  clock.block(31_000);
  expect(watch.trouble()).toBe('the event loop stood still for 31000 ms');
  clock.advance(1_000);
  expect(watch.trouble()).toBeNull();
});

test('stopped, it leaves no timer behind', () => {
  const clock = new FakeClock();
  new LoopWatch(clock).stop();
  expect(clock.pending).toBe(0);
});
