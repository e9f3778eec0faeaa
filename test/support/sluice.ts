/**
 * Sluice inside the test's own process, in front of a real Postgres. `sluice-process.ts` starts the
 * real program instead, for what only a process has: exit codes, signals, memory.
 */
import type { ClientConfig } from 'pg';
import { SluiceProxy } from '../../src/app/proxy.ts';
import type { ServerAddress } from '../../src/demo/connect.ts';
import { systemClock } from '../../src/util/clock.ts';
import { eventually, type Target } from './cluster.ts';
import { TEST_USERS } from './cluster-facts.ts';
import { FakeLog } from './fake-log.ts';
import { type SluiceOptions, sluiceConfig } from './sluice-config.ts';

/** Only what is needed of a cluster: a shared one and a test's own both fit. */
export interface AnyCluster {
  readonly primary: ServerAddress;
}

export interface TestSluice {
  readonly proxy: SluiceProxy;
  readonly port: number;
  readonly httpPort: number;
  readonly log: FakeLog;
  /** Where a client connects: as the superuser to `postgres` unless told otherwise. */
  target(login?: Partial<Target>): Target;
  /** The same for `pg`, without TLS. */
  client(login?: Partial<Target>): ClientConfig;
  /** Clients by phase and servers by state, as the lists have them; what is zero is left out. */
  counts(): Counts;
  /** Resolves when no client is left and no server is busy. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface Counts {
  readonly clients: Readonly<Record<string, number>>;
  readonly servers: Readonly<Record<string, number>>;
}

export async function startSluice(
  cluster: AnyCluster,
  options: SluiceOptions = {},
): Promise<TestSluice> {
  const log = new FakeLog();
  const config = sluiceConfig(cluster.primary, options);
  const proxy = new SluiceProxy({ config, clock: systemClock, log, version: 'test' });
  await proxy.start();
  const { superuser, password } = cluster.primary;
  const database = options.databases?.[0] ?? 'postgres';
  const target = (login: Partial<Target> = {}): Target => ({
    host: '127.0.0.1',
    port: proxy.port,
    user: superuser,
    password,
    database,
    ...login,
  });
  const counts = (): Counts => countAll(proxy);
  return {
    proxy,
    port: proxy.port,
    httpPort: proxy.httpPort,
    log,
    target,
    client: (login) => ({ ...target(login), ssl: false }),
    counts,
    settled: () =>
      eventually('no client and no busy server left', () => {
        const { clients, servers } = counts();
        return Object.keys(clients).length === 0 && Object.keys(servers).every(isIdle);
      }),
    stop: async () => {
      const stopping = proxy.stop();
      // A test that has failed may have left transactions open; nobody waits for those.
      void proxy.stop();
      await stopping;
    },
  };
}

/** One of the cluster's users as a login. */
export function testUser(name: 'scram' | 'md5' | 'cleartext' | 'tlsOnly' | 'trust' | 'rejected') {
  const { user, password } = TEST_USERS[name];
  return { user, password: name === 'trust' ? 'trust-password' : password };
}

function isIdle(state: string): boolean {
  return state === 'idle';
}

function countAll(proxy: SluiceProxy): Counts {
  const clients: Record<string, number> = { login: proxy.door.loggingIn.length };
  for (const { idle, open, active, clients: all } of proxy.door.services.all) {
    add(clients, 'idle', idle.length);
    add(clients, 'open', open.length);
    add(clients, 'active', active.length);
    add(clients, 'waiting', all - idle.length - open.length - active.length);
  }
  const servers: Record<string, number> = {};
  for (const pool of proxy.pools) {
    const { connecting, idle, leased, checking, cleaning, cancelling } = pool;
    for (const list of [connecting, idle, leased, checking, cleaning, cancelling]) {
      add(servers, list.name, list.length);
    }
  }
  return { clients: withoutZeros(clients), servers: withoutZeros(servers) };
}

function add(counts: Record<string, number>, name: string, count: number): void {
  counts[name] = (counts[name] ?? 0) + count;
}

function withoutZeros(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
