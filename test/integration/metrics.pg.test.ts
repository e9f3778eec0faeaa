/** What a scrape says while clients work, and that all of it comes back to rest. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  dropDatabase,
  eventually,
  freshDatabase,
  sharedCluster,
  withClient,
} from '../support/cluster.ts';
import { describeAll, query, RawClient } from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

let database: string;
let sluice: TestSluice;

beforeAll(async () => {
  database = await freshDatabase('metrics');
});
afterAll(() => dropDatabase(database));
beforeEach(async () => {
  sluice = await startSluice(sharedCluster(), {
    databases: [database],
    pool: { size: 1 },
    config: { auth: { method: 'trust' } },
  });
});
afterEach(() => sluice.stop());

const login = () => RawClient.login(sluice.port, { user: 'postgres', database });

async function get(path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${sluice.httpPort}${path}`);
  return { status: response.status, text: await response.text() };
}

/** The value of the one series with this name and these labels; 0 when there is none. */
async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
  const lines = (await get('/metrics')).text.split('\n');
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const found = lines.filter(
    (line) =>
      (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) &&
      wanted.every((label) => line.includes(label)),
  );
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

test('clients and servers are counted by what they do', async () => {
  const holder = await login();
  await holder.query('BEGIN');
  await holder.query('SELECT 1');
  const begun = await login();
  await begun.query('BEGIN');
  const idle = await login();
  const waiter = await login();
  waiter.send(query('SELECT 1'));
  await eventually('it waits', () => sluice.counts().clients['waiting'] === 1);
  const expected = { idle: 1, open: 1, active: 1, waiting: 1, login: 0 };
  for (const [state, count] of Object.entries(expected)) {
    expect([state, await metric('sluice_clients', { state })]).toEqual([state, count]);
  }
  expect(await metric('sluice_servers', { state: 'leased' })).toBe(1);
  for (const client of [holder, begun, idle, waiter]) client.drop();
  await sluice.settled();
  for (const state of Object.keys(expected)) {
    expect(await metric('sluice_clients', { state })).toBe(0);
  }
  expect(await metric('sluice_servers', { state: 'leased' })).toBe(0);
  expect(await metric('sluice_servers', { state: 'idle' })).toBe(1);
});

test('queries, errors, bytes and refusals are counted', async () => {
  await withClient(sluice.client(), async (client) => {
    for (let n = 0; n < 5; n++) await client.query('SELECT 1');
    for (let n = 0; n < 3; n++) await client.query('SELECT $1::int', [n]);
    await client.query('SELECT 1/0').catch(() => {});
    await client.query('BEGIN; SELECT 1; COMMIT');
  });
  const text = (await get('/metrics')).text;
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name]) => name);
  expect(new Set(families).size).toBe(families.length);
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    expect(line).toMatch(/^[a-z_0-9]+(\{[^}]*\})? (\d+(\.\d+)?(e[+-]?\d+)?|\+Inf|NaN)$/);
  }
  expect(text).toContain('sluice_errors_total{');
  expect(await metric('sluice_queries_total')).toBe(10);
  expect(await metric('sluice_query_seconds_count')).toBeGreaterThan(0);
  expect(await metric('sluice_errors_total')).toBe(1);
  expect(await metric('sluice_bytes_total')).toBeGreaterThan(500);
});

test('health and readiness', async () => {
  expect(await get('/healthz')).toMatchObject({ status: 200 });
  expect(await get('/readyz')).toMatchObject({ status: 200 });
  expect((await get('/nothing')).status).toBe(404);
});

test('not ready while it stops, and told why', async () => {
  const slow = await startSluice(sharedCluster(), {
    databases: [database],
    config: { auth: { method: 'trust' }, drain: { ready_off: '10s', transactions: '1s' } },
  });
  const client = await RawClient.login(slow.port, { user: 'postgres', database });
  const stopping = slow.proxy.stop();
  const response = await fetch(`http://127.0.0.1:${slow.httpPort}/readyz`);
  expect([response.status, await response.text()]).toEqual([
    503,
    '{"ready":false,"reasons":["stopping"]}\n',
  ]);
  expect((await fetch(`http://127.0.0.1:${slow.httpPort}/healthz`)).status).toBe(200);
  // Everything goes on until the balancers have had the time to notice.
  expect(describeAll(await client.query('SELECT 1')).at(-1)).toBe('Z I');
  client.drop();
  await stopping;
});
