/** Sluice with a configuration file that changes, in front of the shared cluster, and a load. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { SluiceProxy } from '../../src/app/proxy.ts';
import { Reloader } from '../../src/app/reloader.ts';
import { isGood, loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/util/clock.ts';
import { eventually, sharedCluster } from './cluster.ts';
import { FakeLog } from './fake-log.ts';
import { type ConfigTree, sluiceConfigTree } from './sluice-config.ts';

const LOOP_CLIENTS = 6;

export interface Served {
  /** Where the file is, and nothing else. */
  readonly folder: string;
  readonly proxy: SluiceProxy;
  readonly reloader: Reloader;
  readonly log: FakeLog;
  readonly path: string;
  /** Writes the file as the next one is to be. */
  write(config: ConfigTree): void;
  reload(config: ConfigTree): Promise<string>;
  stop(): Promise<void>;
}

/** The usual configuration with `reload_user`, who may come with either password. */
export function reloadTree(over: ConfigTree = {}, server = sharedCluster().primary): ConfigTree {
  return sluiceConfigTree(server, {
    config: { ...over, auth: { users: { reload_user: { password: ['first', 'second'] } } } },
  });
}

export async function serveReloading(config: ConfigTree): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-reload-'));
  const path = join(folder, 'sluice.yaml');
  const write = (next: ConfigTree): void => writeFileSync(path, JSON.stringify(next));
  write(config);
  const loaded = loadConfig(path, { env: {} });
  if (!isGood(loaded)) throw new Error(JSON.stringify(loaded.problems));
  const log = new FakeLog();
  const proxy = new SluiceProxy({
    config: loaded.config,
    clock: systemClock,
    log,
    version: 'test',
  });
  const reloader = new Reloader({
    loaded,
    broken: null,
    env: {},
    clock: systemClock,
    log,
    meters: proxy.metrics.config,
    prepare: (next) => proxy.prepare(next),
  });
  await proxy.start();
  const stop = async (): Promise<void> => {
    const stopping = proxy.stop();
    void proxy.stop();
    await stopping;
    rmSync(folder, { recursive: true, force: true });
  };
  const reload = (next: ConfigTree): Promise<string> => {
    write(next);
    return reloader.reload('a test');
  };
  return { folder, proxy, reloader, log, path, write, reload, stop };
}

export function reloadLogin(proxy: SluiceProxy, password = 'first') {
  return {
    host: '127.0.0.1',
    port: proxy.port,
    user: 'reload_user',
    password,
    database: 'postgres',
  };
}

export interface Load {
  readonly statements: () => number;
  readonly errors: readonly string[];
  /** Resolves when every client has run some more statements. */
  more(): Promise<void>;
  stop(): Promise<void>;
}

/** Clients in a loop: single statements, prepared statements, transactions, and new logins. */
export async function startLoad(proxy: SluiceProxy, password: () => string): Promise<Load> {
  const errors: string[] = [];
  const counts = new Array<number>(LOOP_CLIENTS).fill(0);
  let stopping = false;
  const work = async (index: number): Promise<void> => {
    while (!stopping) {
      const client = new Client(reloadLogin(proxy, password()));
      client.on('error', (error) => errors.push(error.message));
      try {
        await client.connect();
        for (let turn = 0; turn < 20 && !stopping; turn++) {
          await client.query('SELECT 1');
          await client.query({ name: 'sum', text: 'SELECT $1::int + 1', values: [turn] });
          await client.query('BEGIN');
          await client.query('SELECT pg_sleep(0.001)');
          await client.query('COMMIT');
          counts[index]!++;
        }
        await client.end();
      } catch (error) {
        errors.push((error as Error).message);
        stopping = true;
      }
    }
  };
  const running = counts.map((_, index) => work(index));
  const load: Load = {
    statements: () => counts.reduce((sum, count) => sum + count, 0),
    errors,
    more: () => {
      const enough = counts.map((count) => count + 5);
      return eventually('every client runs statements', () => {
        if (errors.length > 0) throw new Error(errors.join('; '));
        return counts.every((count, index) => count >= (enough[index] as number));
      });
    },
    stop: async () => {
      stopping = true;
      await Promise.all(running);
    },
  };
  await load.more();
  return load;
}
