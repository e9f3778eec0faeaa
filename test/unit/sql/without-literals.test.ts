import { expect, test } from 'vitest';
import { withoutLiterals } from '../../../src/sql/without-literals.ts';

test.each([
  ['SELECT 1', 'SELECT ?'],
  ["INSERT INTO t VALUES ('secret', 1.5e3, $1)", 'INSERT INTO t VALUES (?, ?, $1)'],
  ["UPDATE t  SET a=E'se\\'cret'\n\twhere b = $$secret$$", 'UPDATE t SET a=? where b = ?'],
  ['DELETE FROM "Order" /* secret */ WHERE id=5 -- secret', 'DELETE FROM "Order" WHERE id=?'],
  ["SELECT 'one'\n'secret'", 'SELECT ?'],
  ["SELECT 'secret", 'SELECT (not read)'],
  ['', '(not read)'],
])('%j', (text, shown) => {
  expect(withoutLiterals(text, true)).toBe(shown);
});

test('names are shown as they were written, in any alphabet', () => {
  const bytes = Buffer.from('SELECT größe FROM 주문', 'utf8').toString('latin1');
  expect(withoutLiterals(bytes, true)).toBe('SELECT größe FROM 주문');
});

test('it has an end', () => {
  const text = `SELECT ${Array.from({ length: 5_000 }, (_, index) => `c${index}`).join(', ')}`;
  expect(withoutLiterals(text, true).length).toBeLessThan(1_010);
});
