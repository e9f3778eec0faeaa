import { expect, test } from 'vitest';
import { Backoff } from '../../../src/util/backoff.ts';

test('doubles up to the maximum, and starts again after a success', () => {
  const backoff = new Backoff({ initialMs: 100, maxMs: 1000, jitter: 0, random: () => 0.5 });
  expect(Array.from({ length: 6 }, () => backoff.failed())).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ]);
  expect(backoff.failures).toBe(6);
  backoff.succeeded();
  expect([backoff.failures, backoff.failed()]).toEqual([0, 100]);
});

test('jitter shortens, by at most its share', () => {
  const delay = (random: number) =>
    new Backoff({ initialMs: 100, maxMs: 1000, jitter: 0.2, random: () => random }).failed();
  expect(delay(0)).toBe(100);
  expect(delay(0.5)).toBe(90);
  expect(delay(1)).toBe(80);
});

test('a thousand failures are still a finite wait', () => {
  const backoff = new Backoff({ initialMs: 100, maxMs: 60_000, jitter: 0, random: () => 0 });
  for (let n = 0; n < 2000; n++) backoff.failed();
  expect(backoff.failed()).toBe(60_000);
});
