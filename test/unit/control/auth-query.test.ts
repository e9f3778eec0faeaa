import { expect, test } from 'vitest';
import { parseValidUntil } from '../../../src/control/auth-query.ts';

test.each([
  ['infinity', null],
  ['-infinity', 0],
  ['2026-01-01 00:00:00+00', Date.UTC(2026, 0, 1)],
  ['2026-01-01 09:00:00+09', Date.UTC(2026, 0, 1)],
  ['2026-01-01 05:30:00+05:30', Date.UTC(2026, 0, 1)],
  ['2026-01-01 00:00:00.123456+00', Date.UTC(2026, 0, 1)],
  ['2026-01-01 00:00:00', Date.UTC(2026, 0, 1)],
  ['2026-01-01', Date.UTC(2026, 0, 1)],
  ['0044-03-15 00:00:00+00 BC', 0],
  ['10000-01-01 00:00:00+00', Date.UTC(10_000, 0, 1)],
  ['294276-12-31 00:00:00+00', null],
])('VALID UNTIL %s', (text, expected) => {
  expect(parseValidUntil(text)).toBe(expected);
});

test.each(['', 'never', 'Thu Jan 01 2026', '01/01/2026'])('%j cannot be read', (text) => {
  expect(parseValidUntil(text)).toBe(Number.NaN);
});
