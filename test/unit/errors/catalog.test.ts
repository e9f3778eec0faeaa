import { describe, expect, test } from 'vitest';
import { type CatalogRow, catalog } from '../../../src/errors/catalog.ts';

const rows = Object.entries(catalog as Record<string, CatalogRow>);
/** Classes drivers retry without looking at the rest of the code. */
const transientClass = /^(08|53|57)/;
/** In a transient class because Postgres has them there; see the catalog's header. */
const postgresExceptions = ['08P01', '57014', '08007'];

describe('every row of the error catalog', () => {
  test.each(rows)('%s has a well-formed SQLSTATE and a stable code', (code, row) => {
    expect(row.sqlstate).toMatch(/^[0-9A-Z]{5}$/);
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  test.each(rows)('%s is documented', (_code, row) => {
    expect(row.doc.length).toBeGreaterThan(20);
    expect(row.doc).toMatch(/[.]$/);
  });

  test.each(rows)('%s reads like a Postgres message: no capital, no full stop', (_code, row) => {
    expect(row.message).toMatch(/^[a-z{]/);
    expect(row.message).not.toMatch(/\.$/);
    if (row.hint !== null) expect(row.hint).toMatch(/^[A-Z].*\.$/);
  });

  test.each(rows)('%s is in a class that retry strategies read correctly', (_code, row) => {
    const isTransient = transientClass.test(row.sqlstate);
    if (row.retryable) expect(isTransient).toBe(true);
    else if (isTransient) expect(postgresExceptions).toContain(row.sqlstate);
  });
});

test('texts are unique, so a text in a log leads to one row', () => {
  const texts = rows.map(([, row]) => row.message);
  expect(new Set(texts).size).toBe(texts.length);
});
