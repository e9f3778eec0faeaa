import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/util/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('the system clock', () => {
  test('after fires once, every fires again, and both can be cancelled', async () => {
    const fired: string[] = [];
    systemClock.after(0, () => fired.push('cancelled')).cancel();
    await new Promise<void>((resolve) => {
      const ticks = systemClock.every(1, () => {
        fired.push('tick');
        if (fired.length < 3) return;
        ticks.cancel();
        systemClock.after(0, resolve);
      });
      // Timers of this clock do not keep the process alive, and a test worker is no exception.
    });
    expect(fired).toEqual(['tick', 'tick', 'tick']);
  });

  test('nowMs does not go back, wallMs is the date', () => {
    const before = systemClock.nowMs();
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(before);
    expect(systemClock.wallMs()).toBeGreaterThan(Date.UTC(2025, 0, 1));
  });
});

describe('the fake clock', () => {
  test('fires in the order due, at the moment due, timers set on the way included', () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    const note = (name: string) => fired.push(`${name}@${clock.nowMs()}`);
    clock.after(20, () => note('b'));
    clock.after(10, () => {
      note('a');
      clock.after(5, () => note('c'));
    });
    clock.every(12, () => note('tick'));
    clock.after(15, () => note('never')).cancel();
    clock.advance(25);
    expect(fired).toEqual(['a@10', 'tick@12', 'c@15', 'b@20', 'tick@24']);
    expect([clock.nowMs(), clock.pending]).toEqual([25, 1]);
  });
});
