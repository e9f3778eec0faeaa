import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/errors/proxy-error.ts';
import { startupSettings } from '../../../src/session/startup-options.ts';

function settings(parameters: Readonly<Record<string, string>>): Record<string, string> | string {
  const result = startupSettings(new Map(Object.entries(parameters)));
  return result instanceof ProxyError ? result.message : Object.fromEntries(result);
}

describe('settings of a startup packet', () => {
  test('are what is neither user nor database', () => {
    expect(
      settings({
        user: 'u',
        database: 'd',
        replication: 'off',
        application_name: 'x',
        DateStyle: 'y',
      }),
    ).toEqual({ application_name: 'x', datestyle: 'y' });
  });

  test.each<[string, Record<string, string>]>([
    ['-c a=1', { a: '1' }],
    ['-ca=1 --b=2', { a: '1', b: '2' }],
    ['  -c   a=1\t--statement-timeout=5s ', { a: '1', statement_timeout: '5s' }],
    ['-c my.setting=x', { 'my.setting': 'x' }],
    ['-c search_path=a,\\ b', { search_path: 'a, b' }],
    ['-c a=back\\\\slash', { a: 'back\\slash' }],
    ['-c a=', { a: '' }],
    ['-c a=x=y', { a: 'x=y' }],
    ['-c a=1 -c a=2', { a: '2' }],
    ['', {}],
  ])('in options: %s', (options, expected) => {
    expect(settings({ options })).toEqual(expected);
  });

  test('said by themselves win over options', () => {
    expect(settings({ TimeZone: 'UTC', options: '-c timezone=Asia/Seoul' })).toEqual({
      timezone: 'UTC',
    });
  });

  test.each(['-d 5', '-c', 'a=1', '-c a', '-c =1', '--', '-c 1a=2', '-B 100'])(
    'options that are no settings are refused: %s',
    (options) => {
      expect(settings({ options })).toBe('startup parameter "options" cannot be used here');
    },
  );
});
