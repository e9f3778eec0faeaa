/**
 * What must be so when everybody has come to rest: every count is back, every server is idle and
 * clean, and every row is one that a client can account for.
 */
import { query } from '../conversation/say.ts';
import { runSql, type ServerAddress } from '../../src/demo/connect.ts';
import type { SluiceProcess } from '../support/sluice-process.ts';
import { WireClient, type WireLogin } from '../support/wire-client.ts';
import { readAll } from './acts/plain.ts';
import { samples, sumOf } from './samples.ts';
import type { PastEpoch, Rows, SoakClient } from './soak-client.ts';

const SETTLE_MS = 15_000;

export interface Scene {
  readonly proxy: SluiceProcess;
  readonly server: ServerAddress;
  readonly clients: readonly SoakClient[];
  readonly logins: readonly WireLogin[];
  readonly serversMax: number;
}

/** Everything found wrong, in words. */
export async function aftermath(scene: Scene): Promise<string[]> {
  const found: string[] = [];
  const check = async (name: string, complain: () => Promise<string[]>): Promise<void> => {
    const complaints = await bounded(complain).catch((error: Error) => [error.message]);
    found.push(...complaints.map((complaint) => `${name}: ${complaint}`));
  };
  const { clients } = scene;
  await check('clients at rest', () => settled(() => countsOf(scene, clients.length)));
  await check('servers at rest', () => settled(() => activity(scene)));
  await check('own rows', () => ownRows(clients));
  await check('session state', () => sessionState(scene));
  await Promise.all(clients.map((client) => client.wire.end().catch(() => {})));
  await check('everybody gone', () => settled(() => countsOf(scene, 0)));
  await check('servers left', () => settled(() => activity(scene)));
  await check('rows', () => allRows(scene));
  await check('log', () => log(scene.proxy));
  return found;
}

/** Nothing here may take long; what does is waiting for something that has been lost. */
async function bounded(complain: () => Promise<string[]>): Promise<string[]> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('it takes for ever')), 2 * SETTLE_MS);
  try {
    return await Promise.race([complain(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again until there are no complaints, or for as long as it may take. */
async function settled(ask: () => Promise<string[]>): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const complaints = await ask();
    if (complaints.length === 0 || performance.now() > deadline) return complaints;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function countsOf({ proxy, serversMax }: Scene, clients: number): Promise<string[]> {
  const complaints: string[] = [];
  const metrics = await proxy.metrics();
  for (const [labels, count] of samples(metrics, 'sluice_clients')) {
    const expected = labels.includes('state="idle"') && labels.includes('"default"') ? clients : 0;
    if (count !== expected) complaints.push(`${count} clients, not ${expected}: ${labels}`);
  }
  for (const [labels, count] of samples(metrics, 'sluice_servers')) {
    const limit = labels.includes('state="idle"') ? serversMax : 0;
    if (count > limit) complaints.push(`${count} servers, not at most ${limit}: ${labels}`);
  }
  const waiting = sumOf(metrics, 'sluice_clients_waiting');
  if (waiting !== 0) complaints.push(`${waiting} clients are waiting`);
  return complaints;
}

async function activity({ server, logins, serversMax }: Scene): Promise<string[]> {
  const users = logins.map(({ user }) => `'${user}'`).join();
  const { rows } = await runSql<{ pid: number; state: string; query: string }>(
    server,
    `SELECT pid, state, query FROM pg_stat_activity WHERE usename IN (${users})`,
  );
  const complaints = rows
    .filter(({ state }) => state !== 'idle')
    .map(({ pid, state, query: text }) => `server ${pid} is ${state}: ${text.slice(0, 80)}`);
  if (rows.length > serversMax) complaints.push(`${rows.length} servers, not ${serversMax}`);
  const locks = await runSql(server, `SELECT pid FROM pg_locks WHERE locktype = 'advisory'`);
  for (const row of locks.rows) complaints.push(`an advisory lock is left: ${row['pid']}`);
  return complaints;
}

async function ownRows(clients: readonly SoakClient[]): Promise<string[]> {
  const answers = clients.map(async (client) => {
    client.act = 'aftermath';
    await readAll(client).catch((error: Error) => {
      throw new Error(`${error.message}\n${client.history}`);
    });
  });
  const settledAnswers = await Promise.allSettled(answers);
  return settledAnswers.flatMap((answer) =>
    answer.status === 'rejected' ? [(answer.reason as Error).message] : [],
  );
}

const STATE_SQL = `
  SELECT 'the setting ' || name || ' = ' || setting FROM pg_settings
   WHERE source = 'session' AND setting IS DISTINCT FROM reset_val
  UNION ALL SELECT 'the statement ' || name FROM pg_prepared_statements
   WHERE name NOT LIKE 'sluice\\_%'
  UNION ALL SELECT 'the temporary object ' || relname FROM pg_class
   WHERE relnamespace = pg_my_temp_schema()
  UNION ALL SELECT 'the cursor ' || name FROM pg_cursors WHERE is_holdable
  UNION ALL SELECT 'the channel ' || c FROM pg_listening_channels() AS c`;

/** Takes every server at once, each with a client of its own, and looks around in it. */
async function sessionState({ server, logins }: Scene): Promise<string[]> {
  const complaints: string[] = [];
  for (const login of logins) {
    const { rows } = await runSql<{ pid: number }>(
      server,
      `SELECT pid FROM pg_stat_activity WHERE usename = '${login.user}'`,
    );
    const seen = new Set<string>();
    const guests: WireClient[] = [];
    for (const _ of rows) {
      const guest = await WireClient.connect(login);
      guests.push(guest);
      guest.send(Buffer.concat([query('BEGIN'), query('SELECT pg_backend_pid()')]));
      const pid = (await guest.replies(2)).map(String).find((line) => line.startsWith('D '));
      seen.add(String(pid));
      guest.send(query(STATE_SQL));
      const found = (await guest.replies()).map(String).filter((line) => /^[DE] /.test(line));
      complaints.push(...found.map((line) => `server ${pid} has ${line}`));
    }
    for (const guest of guests) guest.send(query('ROLLBACK'));
    await Promise.all(guests.map((guest) => guest.replies()));
    await Promise.all(guests.map((guest) => guest.end()));
    if (seen.size !== rows.length) complaints.push(`${seen.size} of ${rows.length} servers seen`);
  }
  return complaints;
}

async function allRows({ server, clients }: Scene): Promise<string[]> {
  const { rows } = await runSql<{ client: number; epoch: number; id: number; payload: string }>(
    server,
    'SELECT client, epoch, id, payload FROM soak',
    { database: 'soak' },
  );
  const byEpoch = new Map<string, Map<number, string>>();
  for (const { client, epoch, id, payload } of rows) {
    const key = `${client} ${epoch}`;
    const epochRows = byEpoch.get(key) ?? new Map<number, string>();
    byEpoch.set(key, epochRows.set(id, payload));
  }
  const complaints: string[] = [];
  for (const client of clients) {
    const last = {
      client: client.id,
      epoch: client.epoch,
      how: 'the last',
      outcomes: [client.rows],
    };
    for (const past of [...client.past, last]) {
      const key = `${past.client} ${past.epoch}`;
      const actual = byEpoch.get(key) ?? new Map<number, string>();
      byEpoch.delete(key);
      if (past.outcomes.some((outcome) => same(outcome, actual))) continue;
      complaints.push(explain(past, actual));
    }
  }
  for (const key of byEpoch.keys()) complaints.push(`rows of a client nobody knows: ${key}`);
  return complaints;
}

function same(a: Rows, b: Rows): boolean {
  if (a.size !== b.size) return false;
  for (const [id, payload] of a) if (b.get(id) !== payload) return false;
  return true;
}

function explain({ client, epoch, how, outcomes }: PastEpoch, actual: Rows): string {
  const differences = outcomes.map((outcome) => {
    const missing = [...outcome.keys()].filter((id) => actual.get(id) !== outcome.get(id));
    const surplus = [...actual.keys()].filter((id) => !outcome.has(id));
    return `missing or different ${JSON.stringify(missing)}, too many ${JSON.stringify(surplus)}`;
  });
  return `client ${client}, epoch ${epoch} (${how}): ${differences.join('; or ')}`;
}

async function log(proxy: SluiceProcess): Promise<string[]> {
  const bad = proxy.logLines.filter(({ level }) => level === 'error' || level === 'fatal');
  const complaints = bad.slice(0, 20).map((line) => JSON.stringify(line));
  if (proxy.stderr() !== '') complaints.push(proxy.stderr().slice(0, 4_000));
  return complaints;
}
