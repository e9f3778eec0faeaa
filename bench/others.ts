/** What pgbench does not measure: one large result, and clients that do nothing. */
import { run } from '../src/demo/child.ts';
import { WireClient } from '../test/support/wire-client.ts';
import { type Contender, DATABASE, USER } from './contenders.ts';
import { cpuSeconds, cpuSince, residentBytes } from './processes.ts';

export const COPY_SQL = `
  CREATE UNLOGGED TABLE bench_copy AS
    SELECT i AS id, md5(i::text) || md5((i + 1)::text) AS a, repeat(md5(i::text), 2) AS b
      FROM generate_series(1, 900000) AS i;
  VACUUM (FREEZE, ANALYZE) bench_copy;
`;
export const COPY_BYTES_SQL = `
  SELECT sum(length(id::text) + length(a) + length(b) + 3) AS bytes FROM bench_copy`;

const LOGINS_AT_ONCE = 50;
/** Long enough for a collection of garbage and for buffers to go back. */
const SETTLE_MS = 3_000;

export interface CopyRun {
  readonly megabytesPerSecond: number;
  /** Processor seconds of the pooler per gigabyte. */
  readonly cpuPerGigabyte: number | null;
}

/** psql reads the whole table and writes it nowhere. */
export async function runCopyOut(
  psql: string,
  contender: Contender,
  bytes: number,
): Promise<CopyRun> {
  const url = `postgresql://${USER}@127.0.0.1:${contender.port}/${DATABASE}`;
  const before = contender.pid === null ? null : cpuSeconds(contender.pid);
  const startedMs = performance.now();
  const args = ['--no-psqlrc', '-q', '-c', 'COPY bench_copy TO STDOUT', '-o', '/dev/null', url];
  const { code, output } = await run(psql, args, null, '/');
  const seconds = (performance.now() - startedMs) / 1000;
  if (code !== 0) throw new Error(`psql through ${contender.name}: ${output}`);
  let cpuPerGigabyte: number | null = null;
  if (contender.pid !== null && before !== null) {
    const { user, system } = cpuSince(contender.pid, before);
    cpuPerGigabyte = (user + system) / (bytes / 1e9);
  }
  return { megabytesPerSecond: bytes / 1e6 / seconds, cpuPerGigabyte };
}

/** Bytes of the pooler's memory per client that has logged in and says nothing. */
export async function idleClientBytes(contender: Contender, clients: number): Promise<number> {
  const pid = contender.pid as number;
  // What the first clients cost (code that is loaded, buffers that grow) is not theirs.
  const first = await logIn(contender, Math.ceil(clients / 10));
  await settle();
  const before = residentBytes(pid);
  const rest = await logIn(contender, clients);
  await settle();
  const bytes = (residentBytes(pid) - before) / clients;
  await Promise.all([...first, ...rest].map((client) => client.end().catch(() => {})));
  return bytes;
}

async function logIn(contender: Contender, count: number): Promise<WireClient[]> {
  const login = { host: '127.0.0.1', port: contender.port, user: USER, database: DATABASE };
  const clients: WireClient[] = [];
  while (clients.length < count) {
    const some = Math.min(LOGINS_AT_ONCE, count - clients.length);
    clients.push(
      ...(await Promise.all(Array.from({ length: some }, () => WireClient.connect(login)))),
    );
  }
  return clients;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
