import { describe, expect, test } from 'vitest';
import { WrongValue } from '../../../src/config/value-type.ts';
import {
  count,
  duration,
  formatDuration,
  formatSize,
  percent,
  port,
  portOrOff,
  size,
} from '../../../src/config/values.ts';

/** Why a text is refused. */
function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof WrongValue) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('duration', () => {
  test.each([
    ['1ms', 1],
    ['250ms', 250],
    ['5s', 5000],
    ['1.5s', 1500],
    ['10min', 600_000],
    ['1h', 3_600_000],
    ['500h', 1_800_000_000],
    ['5 s', 5000],
    ['off', 0],
  ])('%s', (text, ms) => {
    expect(duration({ off: true }).parse(text)).toBe(ms);
  });

  test.each([
    ['5', 'it needs a unit: ms, s, min or h'],
    ['5m', 'it needs a unit: ms, s, min or h'],
    ['5S', 'it needs a unit: ms, s, min or h'],
    ['1d', 'it needs a unit: ms, s, min or h'],
    ['', 'it is not a number'],
    ['s', 'it is not a number'],
    ['1e3s', 'it is not a number'],
    ['1:30', 'it is not a number'],
    ['-5s', 'it is below zero'],
    ['0s', 'the least is 1ms'],
    ['0.5ms', 'the least is 1ms'],
    ['501h', 'the most is 500h'],
    ['5constructor', 'it needs a unit: ms, s, min or h'],
  ])('not %j', (text, reason) => {
    expect(refusal(() => duration({ off: true }).parse(text))).toBe(reason);
  });

  test('off is refused where it would mean nothing', () => {
    expect(refusal(() => duration().parse('off'))).toBe('this one cannot be off');
  });

  test('the longest one is still a delay that a timer takes', () => {
    expect(duration().parse('500h')).toBeLessThan(2 ** 31);
  });
});

describe('size', () => {
  test.each([
    ['512B', 512],
    ['64KiB', 65_536],
    ['1.5MiB', 1_572_864],
    ['2GiB', 2 ** 31],
  ])('%s', (text, bytes) => {
    expect(size().parse(text)).toBe(bytes);
  });

  test.each([
    ['512', 'it needs a unit: B, KiB, MiB, GiB or TiB'],
    ['64KB', 'it needs a unit: B, KiB, MiB, GiB or TiB'],
    ['64M', 'it needs a unit: B, KiB, MiB, GiB or TiB'],
    ['1KiB', 'the least is 2KiB'],
    ['3GiB', 'the most is 2GiB'],
  ])('not %s', (text, reason) => {
    expect(refusal(() => size({ min: 2048, max: 2 ** 31 }).parse(text))).toBe(reason);
  });
});

describe('count', () => {
  test.each([
    ['0', 0],
    ['20', 20],
    ['10k', 10_000],
    ['1.5k', 1500],
    ['1M', 1_000_000],
    ['2G', 2_000_000_000],
  ])('%s', (text, value) => {
    expect(count().parse(text)).toBe(value);
  });

  test.each([
    ['1.5', 'it is not whole'],
    ['10K', 'it needs k, M, G or nothing behind it'],
    ['ten', 'it is not a number'],
    ['0x10', 'it is not a number'],
    ['0', 'the least is 1'],
    ['101', 'the most is 100'],
  ])('not %s', (text, reason) => {
    expect(refusal(() => count({ min: 1, max: 100 }).parse(text))).toBe(reason);
  });
});

test('ports are 0 to 65535, and off where there may be none', () => {
  expect(port().parse('0')).toBe(0);
  expect(port().parse('65535')).toBe(65_535);
  expect(refusal(() => port().parse('65536'))).toBe('the most is 65535');
  expect(refusal(() => port().parse('off'))).toBe('it is not a number');
  expect(portOrOff().parse('off')).toBeNull();
  expect(portOrOff().parse('9632')).toBe(9632);
});

test('a percentage is read as a fraction', () => {
  expect(percent().parse('10%')).toBe(0.1);
  expect(percent().parse('0.5%')).toBe(0.005);
  expect(refusal(() => percent().parse('10'))).toBe('it needs a % behind it');
  expect(refusal(() => percent().parse('101%'))).toBe('the most is 100');
});

test('durations and sizes are shown in the largest unit that is exact', () => {
  expect([0, 1, 1500, 60_000, 90_000, 7_200_000].map(formatDuration)).toEqual([
    'off',
    '1ms',
    '1500ms',
    '1min',
    '90s',
    '2h',
  ]);
  expect([1, 1024, 1536, 1024 ** 3].map(formatSize)).toEqual(['1B', '1KiB', '1536B', '1GiB']);
});
