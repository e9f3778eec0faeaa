import { describe, expect, test } from 'vitest';
import {
  internSettings,
  NO_SETTINGS,
  type SessionSettings,
  settingsSql,
  withSetting,
} from '../../../src/backend/session-vars.ts';

const settings = (values: Readonly<Record<string, string>>): SessionSettings =>
  internSettings(new Map(Object.entries(values)));

describe('a set of settings', () => {
  test('is one object for equal sets, whatever order they were said in', () => {
    expect(settings({ a: '1', b: '2' })).toBe(settings({ b: '2', a: '1' }));
    expect(settings({})).toBe(NO_SETTINGS);
  });

  test('with a value changed is another one, and the same when it is not', () => {
    const one = settings({ a: '1' });
    expect(withSetting(one, 'a', '1')).toBe(one);
    expect(withSetting(one, 'a', '2')).toBe(settings({ a: '2' }));
    expect(withSetting(one, 'b', '2')).toBe(settings({ a: '1', b: '2' }));
  });

  test('does not hold what a server has by itself', () => {
    const one = settings({ a: '1' });
    expect(withSetting(one, 'a', null)).toBe(NO_SETTINGS);
    expect(withSetting(NO_SETTINGS, 'a', null)).toBe(NO_SETTINGS);
  });
});

describe('settingsSql', () => {
  test.each<[string, SessionSettings, SessionSettings, string]>([
    ['nothing to do', settings({ a: '1' }), settings({ a: '1' }), ''],
    [
      'a new value',
      NO_SETTINGS,
      settings({ timezone: 'UTC' }),
      "SELECT pg_catalog.set_config('timezone', 'UTC', false)",
    ],
    [
      'only what differs',
      settings({ a: '1', b: '2' }),
      settings({ a: '1', b: '3' }),
      "SELECT pg_catalog.set_config('b', '3', false)",
    ],
    ['what is too much', settings({ a: '1' }), NO_SETTINGS, 'RESET "a";'],
    [
      'both',
      settings({ 'my.one': '1' }),
      settings({ b: '2', c: '3' }),
      'RESET "my"."one";SELECT ' +
        "pg_catalog.set_config('b', '2', false), pg_catalog.set_config('c', '3', false)",
    ],
    [
      'quotes and backslashes, whatever standard_conforming_strings says',
      NO_SETTINGS,
      settings({ a: "it's", b: 'C:\\x', c: "\\'" }),
      "SELECT pg_catalog.set_config('a', 'it''s', false), " +
        "pg_catalog.set_config('b',  E'C:\\\\x', false), " +
        "pg_catalog.set_config('c',  E'\\\\''', false)",
    ],
    ['a name with a quote in it', settings({ 'a"b': '1' }), NO_SETTINGS, 'RESET "a""b";'],
  ])('%s', (_name, from, to, sql) => {
    expect(settingsSql(from, to)).toBe(sql);
  });

  test('sets everything again when some may have gone', () => {
    const one = settings({ a: '1' });
    expect(settingsSql(one, one, true)).toBe("SELECT pg_catalog.set_config('a', '1', false)");
    expect(settingsSql(NO_SETTINGS, NO_SETTINGS, true)).toBe('');
  });
});
