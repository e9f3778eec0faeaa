import { describe, expect, test } from 'vitest';
import { CACHED_TEXT_LENGTH_MAX } from '../../../src/sql/limits.ts';
import { StatementCache } from '../../../src/sql/statement-cache.ts';

describe('StatementCache', () => {
  test('gives the same statement for the same text', () => {
    const cache = new StatementCache();
    const first = cache.lookup('SELECT 1', true);
    expect(cache.lookup(['SELECT', '1'].join(' '), true)).toBe(first);
    expect(cache.lookup('SELECT  1', true)).not.toBe(first);
    expect(cache).toMatchObject({ hits: 1, misses: 2, size: 2 });
  });

  test('keeps the two meanings of a text apart', () => {
    const cache = new StatementCache();
    const text = "SELECT 'a\\'; DELETE FROM t; --'";
    expect(cache.lookup(text, true).count).toBe(2);
    expect(cache.lookup(text, false).count).toBe(1);
    expect(cache.lookup(text, true).count).toBe(2);
    expect(cache).toMatchObject({ hits: 1, misses: 2, size: 2 });
  });

  test('reads a long text each time and does not keep it', () => {
    const cache = new StatementCache();
    const text = `SELECT '${'x'.repeat(CACHED_TEXT_LENGTH_MAX)}'`;
    expect(cache.lookup(text, true).count).toBe(1);
    expect(cache.lookup(text, true).count).toBe(1);
    expect(cache).toMatchObject({ hits: 0, misses: 2, size: 0, bytes: 0 });
  });

  test('forgets what was used longest ago when it has enough entries', () => {
    const cache = new StatementCache({ entriesMax: 2, bytesMax: 1_000_000 });
    cache.lookup('SELECT 1', true);
    cache.lookup('SELECT 2', true);
    cache.lookup('SELECT 1', true);
    cache.lookup('SELECT 3', true);
    cache.lookup('SELECT 3', true);
    expect(cache.size).toBe(2);
    const misses = cache.misses;
    cache.lookup('SELECT 1', true);
    expect(cache.misses).toBe(misses);
    cache.lookup('SELECT 2', true);
    expect(cache.misses).toBe(misses + 1);
  });

  test('does not forget for texts that come only once', () => {
    const cache = new StatementCache({ entriesMax: 2, bytesMax: 1_000_000 });
    cache.lookup('SELECT 1', true);
    cache.lookup('SELECT 2', true);
    for (let i = 10; i < 1_000; i++) cache.lookup(`SELECT ${i}`, true);
    const misses = cache.misses;
    cache.lookup('SELECT 1', true);
    cache.lookup('SELECT 2', true);
    expect(cache.misses).toBe(misses);
  });

  test('stays within its bytes', () => {
    const cache = new StatementCache({ entriesMax: 10_000, bytesMax: 20_000 });
    for (let i = 0; i < 1_000; i++) cache.lookup(`SELECT ${i} /* ${'x'.repeat(100)} */`, true);
    expect(cache.bytes).toBeLessThanOrEqual(20_000);
    expect(cache.size).toBeGreaterThan(5);
  });
});
