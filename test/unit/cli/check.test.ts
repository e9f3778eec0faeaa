import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { check } from '../../../src/cli/check.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-check-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function checked(text: string): Promise<{ code: number; out: string[]; err: string[] }> {
  const config = join(folder, 'sluice.yaml');
  writeFileSync(config, text);
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line.replace(`${folder}/`, '')),
    env: { PASSWORD: 'hunter2' },
  };
  return { code: await check({ config, connect: false }, io), out, err };
}

test('a file in order is summed up in a line', async () => {
  const text = `
auth: { users: { orders: { password: "$\{PASSWORD}" } } }
databases: { shop: { targets: { url: postgres://db1/shop } } }
services: { name: orders, match: { users: orders } }`;
  expect(await checked(text)).toEqual({
    code: 0,
    out: ['ok: 1 listener, 1 user, 1 database on 1 server, 2 services'],
    err: [],
  });
});

test('warnings are shown and do not fail', async () => {
  const text = `
auth: { users: { orders: { password: "$\{PASSWORD}" } } }
databases: { shop: { targets: { url: postgres://db1/shop } } }
services: { name: orders }`;
  const { code, err } = await checked(text);
  expect(code).toBe(0);
  expect(err).toEqual([
    'sluice.yaml:4:1: warning: services[0]: nobody can get into this service: ' +
      'no `match`, and no listener names it',
  ]);
});

test('every problem is shown, and the code is that of a bad configuration', async () => {
  const { code, out, err } = await checked('lisen: 1\nlog: { level: x }\n');
  expect(code).toBe(78);
  expect(out).toEqual([]);
  expect(err).toEqual([
    'sluice.yaml: error: auth.users: is needed for scram-sha-256; without users nobody can log in',
    'sluice.yaml: error: databases: is needed; name at least one database with its target',
    'sluice.yaml:1:1: error: lisen: unknown key (did you mean "listen"?)',
    'sluice.yaml:2:15: error: log.level: "x" is not a choice here; ' +
      'write trace, debug, info, warn, error, fatal or silent',
    '4 problems',
  ]);
});

test('the example that comes with Sluice is in order as it stands', async () => {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    env: {},
  };
  const config = new URL('../../../config/sluice.example.yaml', import.meta.url).pathname;
  expect(await check({ config, connect: false }, io)).toBe(0);
  expect(err).toEqual([]);
  expect(out).toEqual(['ok: 1 listener, 1 user, 1 database on 1 server, 2 services']);
});
