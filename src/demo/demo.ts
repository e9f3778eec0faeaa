/**
 * `sluice demo`: a Postgres primary and replica, a shop in them, Sluice in front, and lines to copy
 * into a terminal. Everything lives in one temporary folder and goes when the demo does, however it
 * goes (`watchdog.ts`).
 *
 * How a proxy is started is handed in: this folder knows Postgres, not Sluice.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../util/clock.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { runSql } from './connect.ts';
import { demoConfig } from './demo-config.ts';
import { tour } from './demo-tour.ts';
import { SetupFailure } from './setup-failure.ts';
import {
  DEFAULT_ORDERS,
  type SeedProgress,
  SHOP_DATABASE,
  SHOP_SETTINGS,
  SHOP_USERS,
  seedShop,
} from './shop.ts';

/** The ports people are told of in every other document. */
const DEMO_PORT = 6432;
const DEMO_HTTP_PORT = 9632;

export interface DemoOptions {
  /** How many orders the shop has. */
  readonly orders?: number;
  /** Sluice's; 0 lets the system choose, then also for HTTP unless that one is given. */
  readonly port?: number;
  readonly httpPort?: number;
  /** Start, send one query through the proxy, and stop. */
  readonly exit?: boolean;
}

export interface DemoIo {
  /** One line for the person at the terminal, without its line feed. */
  print(line: string): void;
  /** Aborted when that person wants to stop. */
  readonly signal: AbortSignal;
}

/** A proxy that is running. */
export interface DemoProxy {
  /** Where it really listens. */
  readonly port: number;
  readonly httpPort: number;
  stop(): Promise<void>;
}

export type StartProxy = (configPath: string) => Promise<DemoProxy>;

/** Resolves with the exit code when everything has stopped: 0, or 1 when something did not work. */
export async function runDemo(
  options: DemoOptions,
  io: DemoIo,
  startProxy: StartProxy,
): Promise<number> {
  const timeline = new Timeline(io);
  let cluster: Cluster | null = null;
  let proxy: DemoProxy | null = null;
  try {
    io.print('A Postgres primary and replica, a shop, and Sluice in front of them.');
    io.print('Ctrl-C stops everything and leaves nothing behind.');
    io.print('');
    cluster = await startCluster({
      replicas: 1,
      settings: SHOP_SETTINGS,
      signal: io.signal,
      onStep: (step) => timeline.mark(step),
    });
    await seed(cluster, options.orders ?? DEFAULT_ORDERS, io.signal, timeline);
    timeline.mark('Sluice');
    proxy = await startOnPorts(cluster, options, timeline, startProxy);
    await selfCheck(proxy, options.orders ?? DEFAULT_ORDERS);
    timeline.mark('ready: a query through Sluice was answered');
    if (options.exit !== true) {
      for (const line of tour(cluster, proxy)) io.print(line);
      await aborted(io.signal);
    }
    return 0;
  } catch (error) {
    if (io.signal.aborted) return 0;
    io.print(error instanceof SetupFailure ? error.message : String(error));
    return 1;
  } finally {
    io.print('');
    io.print('Stopping.');
    await proxy?.stop();
    await cluster?.stop();
  }
}

/** Stopping the servers is what interrupts a statement that takes seconds. */
async function seed(
  cluster: Cluster,
  orders: number,
  signal: AbortSignal,
  timeline: Timeline,
): Promise<void> {
  const stop = (): void => void cluster.stop();
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) stop();
    timeline.mark(`a shop with ${count(orders)} orders`);
    await seedShop(cluster.primary, orders, (progress) => timeline.mark(describe(progress)));
    timeline.mark('replica catches up');
    await cluster.caughtUp();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A port nobody asked for is not worth giving up over: if it is taken, the system chooses one. */
async function startOnPorts(
  cluster: Cluster,
  options: DemoOptions,
  timeline: Timeline,
  startProxy: StartProxy,
): Promise<DemoProxy> {
  const configPath = join(cluster.folder, 'sluice.yaml');
  let proxy = options.port ?? DEMO_PORT;
  let http = options.httpPort ?? (options.port === 0 ? 0 : DEMO_HTTP_PORT);
  for (;;) {
    const text = demoConfig({ proxy, http, primary: cluster.primary.port });
    await writeFile(configPath, text, { mode: 0o600 });
    try {
      return await startProxy(configPath);
    } catch (error) {
      const { code, port } = error as { code?: unknown; port?: unknown };
      if (code !== 'EADDRINUSE') throw error;
      if (port === proxy && options.port === undefined) proxy = 0;
      else if (port === http && options.httpPort === undefined) http = 0;
      else
        throw new SetupFailure(`Port ${port} is in use. Choose another with --port; 0 finds one.`);
      timeline.mark(`Sluice, on a free port because ${port} is in use`);
    }
  }
}

/** A demo that prints connection strings has tried one. */
async function selfCheck(proxy: DemoProxy, orders: number): Promise<void> {
  const { user, password } = SHOP_USERS.orders;
  const server = { host: '127.0.0.1', port: proxy.port, superuser: user, password };
  const sql = 'SELECT count(*)::int AS orders FROM orders';
  const { rows } = await runSql<{ orders: number }>(server, sql, { database: SHOP_DATABASE });
  if (rows[0]?.orders !== orders) {
    throw new SetupFailure(`Through Sluice the shop has ${rows[0]?.orders} orders, not ${orders}.`);
  }
}

function describe({ table, rows, of }: SeedProgress): string {
  return `  ${table} ${count(rows)} of ${count(of)}`;
}

function count(rows: number): string {
  return rows.toLocaleString('en-US');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Says what begins and when, counted from the start of the demo. */
class Timeline {
  readonly #io: DemoIo;
  readonly #startMs = systemClock.nowMs();

  constructor(io: DemoIo) {
    this.#io = io;
  }

  mark(what: string): void {
    const seconds = (systemClock.nowMs() - this.#startMs) / 1000;
    this.#io.print(`${seconds.toFixed(1).padStart(6)} s  ${what}`);
  }
}
