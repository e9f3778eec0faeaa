import { describe, expect, test } from 'vitest';
import type { Change } from '../../../src/config/diff.ts';
import { isGood, type Loaded, loadConfig } from '../../../src/config/load.ts';
import type { Settings } from '../../../src/config/schema.ts';

const BASE = `
listen: [{ port: 6432 }, { port: 6433, service: reports }]
auth: { users: { orders: { password: hunter2 } } }
servers: { db1: { address: "db1:5432" } }
databases: { shop: { targets: { server: db1 } } }
services:
  - { name: orders, match: { users: orders }, pool: { size: 10 } }
  - { name: reports }
`;

function load(text: string, previous?: Settings, files: Record<string, string> = {}): Loaded {
  return loadConfig('/sluice.yaml', {
    env: {},
    readFile: (path) => (path === '/sluice.yaml' ? text : (files[path] ?? '')),
    ...(previous === undefined ? {} : { previous }),
  });
}

function good(loaded: Loaded) {
  if (!isGood(loaded)) throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

function changes(edit: (text: string) => string): readonly Change[] {
  return good(load(edit(BASE), good(load(BASE)).settings)).changes;
}

function lines(edit: (text: string) => string): string[] {
  return changes(edit).map(({ path, before, after }) => `${path}: ${before} -> ${after}`);
}

describe('what has changed', () => {
  test('nothing, when only the way of writing has', () => {
    expect(changes((text) => `# a comment\n${text}\nlog: { level: info }`)).toEqual([]);
  });

  test.each([
    ['size: 10', 'size: 1k', 'services[orders].pool.size: 10 -> 1000'],
    ['size: 10', 'size: 10, lifetime: 90s', 'services[orders].pool.lifetime: none -> 90s'],
    ['size: 10', 'size: { primary: 7 }', 'services[orders].pool.size: 10 -> a map'],
    ['db1:5432', 'db2:5433', 'servers.db1.address: db1:5432 -> db2:5433'],
    ['hunter2', 'hunter3', 'auth.users.orders.password: (secret) -> (secret)'],
    ['users: orders', 'users: [a, b]', 'services[orders].match[0].users: [orders] -> [a, b]'],
    ['{ port: 6432 }, ', '', 'listen[127.0.0.1:6432]: present -> none'],
    ['{ shop', '{ other: { targets: { server: db1 } }, shop', 'databases.other: none -> present'],
  ])('%s becomes %s', (from, to, line) => {
    expect(lines((text) => text.replace(from, to))).toEqual([line]);
  });

  test('an item on top of a list is one change; another order is one as well', () => {
    const top = (text: string) => text.replace('services:', 'services:\n  - { name: first }');
    expect(lines(top)).toEqual(['services[first]: none -> present']);
    const turned = (text: string) => {
      const [orders = '', reports = ''] = text.split('\n').slice(-3);
      return text.replace(`${orders}\n${reports}`, `${reports}\n${orders}`);
    };
    expect(lines(turned)).toEqual(['services (order): orders, reports -> reports, orders']);
  });

  test('a secret in a file that says something else', () => {
    const text = BASE.replace('hunter2', 'file:/run/secret');
    const before = good(load(text, undefined, { '/run/secret': 'one' }));
    const after = good(load(text, before.settings, { '/run/secret': 'two' }));
    expect(after.changes.map(({ path }) => path)).toEqual(['auth.users.orders.password']);
    expect(JSON.stringify(after.changes)).not.toContain('two');
    expect([...after.files.keys()]).toEqual(['/sluice.yaml', '/run/secret']);
  });
});

test('keys that need a restart are named and keep their value, the others change', () => {
  const before = good(load(BASE));
  const text = BASE.replace('{ port: 6432 }', '{ port: 6432, reuse_port: true }').replace(
    'services:',
    'fleet: { instance: another }\nlog: { level: warn }\nservices:',
  );
  const after = good(load(text, before.settings));
  const waiting = after.changes.filter(({ reload }) => reload === 'restart');
  expect(waiting.map(({ path }) => path)).toEqual([
    'listen[127.0.0.1:6432].reuse_port',
    'fleet.instance',
  ]);
  expect(after.config.listen[0]?.reusePort).toBe(false);
  expect(after.config.fleet).toEqual(before.config.fleet);
  expect(after.config.log.level).toBe('warn');
});
