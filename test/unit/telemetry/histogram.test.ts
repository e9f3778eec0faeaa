import { expect, test } from 'vitest';
import { boundsSeconds, DurationHistogram } from '../../../src/telemetry/histogram.ts';

function bucketOf(seconds: number): number {
  const histogram = new DurationHistogram();
  histogram.observe(seconds * 1000);
  return histogram.counts.indexOf(1);
}

test('bounds rise from 128 microseconds to 134 seconds, no step larger than a half', () => {
  expect(boundsSeconds[0]).toBe(0.000128);
  expect(boundsSeconds.at(-1)).toBe(134.217728);
  boundsSeconds.forEach((bound, bucket) => {
    const ratio = bound / (boundsSeconds[bucket - 1] ?? bound);
    expect(ratio).toBeGreaterThanOrEqual(bucket === 0 ? 1 : 1.3);
    expect(ratio).toBeLessThanOrEqual(1.5);
  });
});

test('a duration equal to a bound is in its bucket, a microsecond more in the next', () => {
  boundsSeconds.forEach((bound, bucket) => {
    expect(bucketOf(bound)).toBe(bucket);
    expect(bucketOf(bound + 1e-6)).toBe(bucket + 1);
  });
});

test('every duration lies at or below the bound of its bucket and above the one before', () => {
  for (let seconds = 1e-6; seconds < 200; seconds *= 1.17) {
    const bucket = bucketOf(seconds);
    expect(seconds).toBeLessThanOrEqual(boundsSeconds[bucket] ?? Number.POSITIVE_INFINITY);
    expect(seconds).toBeGreaterThan((boundsSeconds[bucket - 1] ?? 0) - 1e-6);
  }
});

test('extremes are counted: nothing, less than nothing, an hour, a month', () => {
  const last = boundsSeconds.length;
  expect([0, -1, 3600, 2_592_000].map(bucketOf)).toEqual([0, 0, last, last]);
});

test('count and sum add up', () => {
  const histogram = new DurationHistogram();
  for (const ms of [1, 2, 3.5]) histogram.observe(ms);
  expect(histogram.count).toBe(3);
  expect(histogram.sumMs).toBe(6.5);
  expect(histogram.counts.reduce((a, b) => a + b)).toBe(3);
});
