/** `sluice serve` as an operator meets it: starting, refusing to start, and being told to stop. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  backends,
  dropDatabase,
  eventually,
  freshDatabase,
  query as direct,
  sharedCluster,
  value,
} from '../support/cluster.ts';
import { describeAll, query, RawClient } from '../support/raw-client.ts';
import { sluiceConfigTree } from '../support/sluice-config.ts';
import { runSluice, type SluiceProcess, startSluiceProcess } from '../support/sluice-process.ts';

let folder: string;
let database: string;
let running: SluiceProcess | null = null;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-serve-'));
  database = await freshDatabase('serve');
  await direct('CREATE TABLE t (n int); GRANT ALL ON t TO PUBLIC', { database });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await dropDatabase(database);
});
afterEach(async () => {
  await running?.stop();
  running = null;
});

async function start(drain = {}): Promise<SluiceProcess> {
  running = await startSluiceProcess(sharedCluster(), {
    databases: [database],
    pool: { size: 2 },
    config: { auth: { method: 'trust' }, drain },
  });
  return running;
}

const login = (port: number) => RawClient.login(port, { user: 'trust_user', database });

function configFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('it does not start', () => {
  test('without its configuration file: 78, and its name', async () => {
    const path = join(folder, 'absent.yaml');
    const { code, stderr } = await runSluice(['serve', '-c', path]);
    expect(code).toBe(78);
    expect(stderr).toContain(path);
    expect(stderr).not.toContain('    at ');
  });

  test('with a wrong one: 78, and every problem with its place', async () => {
    const text = 'listen:\n  - { prot: 6432 }\nservices:\n  - name: a\n    pool: { size: many }\n';
    const path = configFile('wrong.yaml', text);
    const { code, stderr, stdout } = await runSluice(['serve', '-c', path]);
    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/wrong\.yaml:2:7: .*prot.*port/);
    expect(stderr).toMatch(/wrong\.yaml:5:19: .*many/);
  });

  test('with an unknown flag: 64', async () => {
    expect((await runSluice(['serve', '--confg', 'x'])).code).toBe(64);
  });

  test.each(['listen', 'http'])('when the port of %s is taken: 1, and which one', async (which) => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
    const { port } = squatter.address() as { port: number };
    const own = which === 'listen' ? [{ host: '127.0.0.1', port }] : { port };
    const tree = sluiceConfigTree(sharedCluster().primary, { config: { [which]: own } });
    const path = configFile('taken.yaml', JSON.stringify(tree));
    const { code, stderr } = await runSluice(['serve', '-c', path]);
    expect(code).toBe(1);
    expect(stderr).toContain(String(port));
    expect(stderr).toMatch(/in use/);
    expect(stderr).not.toContain('    at ');
    squatter.close();
  });

  test('`check` says 0 or 78 of the same files', async () => {
    const good = configFile('good.yaml', JSON.stringify(sluiceConfigTree(sharedCluster().primary)));
    expect((await runSluice(['check', '-c', good])).code).toBe(0);
    expect((await runSluice(['check', '-c', join(folder, 'wrong.yaml')])).code).toBe(78);
  });
});

describe('SIGTERM', () => {
  test('closes who does nothing with 57P01 and ends with 0', async () => {
    const sluice = await start();
    const idle = await login(sluice.port);
    sluice.kill('SIGTERM');
    expect(describeAll(await idle.end())).toEqual(['E 57P01']);
    expect(await sluice.exited).toBe(0);
    expect(sluice.stderr()).toBe('');
    await eventually('its servers are closed', async () => (await backends(database)).length === 0);
  });

  test('lets a transaction finish, and a running statement', async () => {
    const sluice = await start({ transactions: '20s' });
    const working = await login(sluice.port);
    await working.query('BEGIN');
    await working.query('INSERT INTO t VALUES (1)');
    const running = await login(sluice.port);
    running.send(query('INSERT INTO t SELECT 2 FROM pg_sleep(0.7)'));
    const begun = await login(sluice.port);
    await begun.query('BEGIN');
    sluice.kill('SIGTERM');
    await eventually('nobody new gets in', () =>
      RawClient.open(sluice.port).then(
        (client) => {
          client.drop();
          return false;
        },
        () => true,
      ),
    );
    expect(describeAll(await working.query('INSERT INTO t VALUES (3)')).at(-1)).toBe('Z T');
    expect(describeAll(await working.query('COMMIT'))).toEqual(['C COMMIT', 'Z I']);
    expect(describeAll(await working.end())).toEqual(['E 57P01']);
    expect(describeAll(await running.end())).toEqual(['C INSERT 0 1', 'Z I', 'E 57P01']);
    expect(describeAll(await begun.query('COMMIT'))).toEqual(['C COMMIT', 'Z I']);
    expect(await sluice.exited).toBe(0);
    expect(await value('SELECT string_agg(n::text, $$,$$ ORDER BY n) FROM t', { database })).toBe(
      '1,2,3',
    );
  });

  test('closes what is left when drain.transactions is over', async () => {
    const sluice = await start({ transactions: '300ms' });
    const client = await login(sluice.port);
    await client.query('BEGIN');
    client.send(query('SELECT pg_sleep(60)'));
    await eventually('it runs', async () => (await busy()) === 1);
    sluice.kill('SIGTERM');
    expect(describeAll(await client.end()).at(-1)).toBe('E 57P01');
    expect(await sluice.exited).toBe(0);
    await eventually('nothing runs for nobody', async () => (await busy()) === 0, 2000);
  });

  test('twice does not wait', async () => {
    const sluice = await start({ ready_off: '60s', transactions: '60s' });
    const client = await login(sluice.port);
    await client.query('BEGIN');
    await client.query('SELECT 1');
    sluice.kill('SIGTERM');
    await eventually('it stops', () =>
      sluice.logLines.some(({ message }) => message === 'stopping'),
    );
    const startedMs = performance.now();
    sluice.kill('SIGTERM');
    expect(await sluice.exited).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(3000);
    expect(describeAll(await client.end())).toEqual(['E 57P01']);
  });

  test('SIGINT does the same', async () => {
    const sluice = await start();
    sluice.kill('SIGINT');
    expect(await sluice.exited).toBe(0);
  });
});

test('kill -9 leaves the servers to notice: nothing stays open', async () => {
  const sluice = await start();
  const client = await login(sluice.port);
  await client.query('BEGIN');
  await client.query('INSERT INTO t VALUES (99)');
  sluice.kill('SIGKILL');
  expect(await sluice.exited).toBe(-1);
  await eventually('its servers are gone', async () => (await backends(database)).length === 0);
  expect(await value('SELECT count(*) FROM t WHERE n = 99', { database })).toBe('0');
});

test('a thousand clients that come and go at once leave nothing behind', async () => {
  const sluice = await start();
  for (let round = 0; round < 5; round++) {
    const clients = await Promise.all(Array.from({ length: 200 }, () => login(sluice.port)));
    await Promise.all(clients.map((client) => client.query('SELECT 1')));
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.drop();
      else client.finish();
    }
  }
  await eventually('all are gone', async () => {
    const text = await sluice.metrics();
    const counts = [...text.matchAll(/^sluice_clients\{[^}]*\} (\d+)$/gm)].map(([, n]) =>
      Number(n),
    );
    return counts.length > 0 && counts.every((count) => count === 0);
  });
  expect((await backends(database)).length).toBeLessThanOrEqual(2);
});

/** How many statements run on the servers. */
async function busy(): Promise<number> {
  return (await backends(database)).filter(({ state }) => state === 'active').length;
}
