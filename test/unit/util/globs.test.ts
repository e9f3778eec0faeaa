import { describe, expect, test } from 'vitest';
import { GlobSet } from '../../../src/util/globs.ts';

describe('GlobSet', () => {
  test.each([
    ['orders', 'orders', true],
    ['orders', 'orders2', false],
    ['orders', 'Orders', false],
    ['report-*', 'report-', true],
    ['report-*', 'report-daily', true],
    ['report-*', 'areport-daily', false],
    ['*', '', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a\u{1f600}c', true],
    ['a.c*', 'abc', false],
    ['(a|b)*', '(a|b)1', true],
    ['[ab]*', 'a', false],
    ['a**b', 'a-b', true],
    ['*\n*', 'a\nb', true],
  ])('%j against %j is %j', (glob, name, expected) => {
    expect(new GlobSet([glob]).has(name)).toBe(expected);
  });

  test('any of several globs is enough, none matches nothing', () => {
    const globs = new GlobSet(['orders', 'report-*']);
    expect(globs.has('orders')).toBe(true);
    expect(globs.has('report-1')).toBe(true);
    expect(globs.has('billing')).toBe(false);
    expect(new GlobSet([]).has('')).toBe(false);
  });
});
