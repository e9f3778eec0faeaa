import { expect, test } from 'vitest';
import { hbaText, settingsText } from '../../../src/demo/server-files.ts';

test('settings are quoted as postgresql.conf wants it', () => {
  const text = settingsText({ fsync: false, jit: true, port: 5432, search_path: `"$user", 'x'` });
  expect(text).toBe(`fsync = 'off'\njit = 'on'\nport = '5432'\nsearch_path = '"$user", ''x'''\n`);
});

test('a caller’s hba rules come before the rule for everybody', () => {
  const lines = hbaText(['host all md5_user 127.0.0.1/32 md5']).split('\n');
  expect(lines[0]).toBe('host all md5_user 127.0.0.1/32 md5');
  expect(lines.at(-2)).toBe('host all all 127.0.0.1/32 scram-sha-256');
});
