import { expect, test } from 'vitest';
import { catalog } from '../../../src/errors/catalog.ts';
import { faultOfServerError, sqlstateClass } from '../../../src/errors/sqlstate.ts';

test.each([
  ['42P01', '42'],
  ['00000', '00'],
  ['XX001', 'XX'],
  ['ZZ123', 'other'],
  ['42', 'other'],
  ['', 'other'],
])('%j is counted as class %j', (sqlstate, expected) => {
  expect(sqlstateClass(sqlstate)).toBe(expected);
});

test.each([
  ['42601', 'client'],
  ['57014', 'client'],
  ['57P01', 'server'],
  ['53300', 'capacity'],
  ['08006', 'network'],
  ['ZZ123', 'server'],
])('an error %s from a server is the fault of %s', (sqlstate, expected) => {
  expect(faultOfServerError(sqlstate)).toBe(expected);
});

test('every error of our own is in a class Postgres defines', () => {
  for (const row of Object.values(catalog)) expect(sqlstateClass(row.sqlstate)).not.toBe('other');
});
