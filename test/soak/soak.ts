/**
 * Many clients on few servers, each checking its own data, for as long as one likes:
 *
 *     node test/soak/soak.ts [--clients 500] [--servers 10] [--seconds 60] [--seed N] [--users 2]
 *                            [--act NAME]... [--log debug]
 *
 * The real program runs in front of a real Postgres of its own. Every client does what chance tells
 * it: reads, writes, batches, portals, COPY, transactions, errors, cancels, and leaves in the
 * middle of all of it. Every message that comes back is held against what Postgres would have said.
 * The exit code is 0 when every answer was right and nothing was left behind, and 1 otherwise, with
 * the history of the client that was told something wrong.
 *
 * A seed repeats what each client does, not how the clients fall in with each other.
 */
import { parseArgs } from 'node:util';
import { startCluster } from '../../src/demo/cluster.ts';
import { runSql } from '../../src/demo/connect.ts';
import type { PostgresServer } from '../../src/demo/postgres-server.ts';
import { Random } from '../support/random.ts';
import type { SluiceOptions } from '../support/sluice-config.ts';
import { type SluiceProcess, startSluiceProcess } from '../support/sluice-process.ts';
import type { WireLogin } from '../support/wire-client.ts';
import { ACTS, nextAct } from './acts/repertoire.ts';
import { SCHEMA } from './acts/statements.ts';
import { aftermath } from './aftermath.ts';
import { samples, sumOf } from './samples.ts';
import { SoakClient } from './soak-client.ts';

/** Nobody is ever made to wait this long; whoever waits longer has been forgotten. */
const ANSWER_MS = 45_000;
const LOGINS_AT_ONCE = 25;
const FAILURES_SHOWN = 3;
const LOG_LINES_SHOWN = 25;
const MEMORY_SAMPLES = 12;

interface Options {
  readonly clients: number;
  readonly servers: number;
  readonly seconds: number;
  readonly seed: number;
  readonly users: number;
  readonly acts: readonly string[];
  readonly log: string;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '500' },
      servers: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 0x7fffffff)) },
      users: { type: 'string', default: '2' },
      act: { type: 'string', multiple: true, default: [] },
      log: { type: 'string', default: 'info' },
    },
  });
  const unknown = values.act.find((name) => !ACTS.has(name));
  if (unknown !== undefined) {
    throw new Error(`no act is called ${unknown}; there are ${[...ACTS.keys()].join(', ')}`);
  }
  return {
    clients: Number(values.clients),
    servers: Number(values.servers),
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    users: Number(values.users),
    acts: values.act,
    log: values.log,
  };
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function prepare(server: PostgresServer, users: readonly string[]): Promise<void> {
  await runSql(server, 'CREATE DATABASE soak');
  const roles = users.map((user) => `CREATE ROLE ${user} LOGIN PASSWORD 'soak'`);
  await runSql(server, `${SCHEMA} ${roles.join(';')}`, { database: 'soak' });
}

function sluiceOptions(users: readonly string[], options: Options): SluiceOptions {
  return {
    databases: ['soak'],
    pool: {
      size: options.servers,
      max_clients: options.clients + 200,
      max_queue: options.clients + 200,
      queue_timeout: 'off',
      // Short, so that servers age, are evicted from and are asked whether they live.
      lifetime: '20s',
      check_after: '100ms',
      prepared_statements: 40,
    },
    config: {
      log: { level: options.log },
      auth: {
        method: 'trust',
        users: Object.fromEntries(users.map((user) => [user, { password: 'soak' }])),
      },
    },
  };
}

/** The clients' common fate: they go on until the time is up or one of them was told wrong. */
class Run {
  readonly clients: readonly SoakClient[];
  readonly failures: { readonly client: SoakClient; readonly error: Error }[] = [];
  readonly done = new Map<string, number>();
  readonly #options: Options;
  #over = false;

  constructor(clients: readonly SoakClient[], options: Options) {
    this.clients = clients;
    this.#options = options;
  }

  async play(): Promise<void> {
    for (let at = 0; at < this.clients.length; at += LOGINS_AT_ONCE) {
      const some = this.clients.slice(at, at + LOGINS_AT_ONCE);
      await Promise.all(some.map((client) => client.connect()));
    }
    const timer = setTimeout(() => this.end(), this.#options.seconds * 1_000);
    const watch = setInterval(() => this.#watch(), 1_000);
    await Promise.all(this.clients.map((client) => this.#live(client)));
    clearTimeout(timer);
    clearInterval(watch);
  }

  end(): void {
    this.#over = true;
  }

  async #live(client: SoakClient): Promise<void> {
    try {
      while (!this.#over) {
        const only = this.#options.acts;
        const act = only.length > 0 ? ACTS.get(client.pick(only))! : nextAct(client);
        client.act = act.name;
        await act(client);
        this.done.set(act.name, (this.done.get(act.name) ?? 0) + 1);
      }
    } catch (error) {
      this.failures.push({ client, error: error as Error });
      this.end();
    }
  }

  #watch(): void {
    const nowMs = performance.now();
    for (const client of this.clients) {
      if (client.waitingSinceMs === 0 || nowMs - client.waitingSinceMs < ANSWER_MS) continue;
      client.note(`has waited for ${ANSWER_MS} ms`);
      client.wire.socket.destroy(new Error(`no answer within ${ANSWER_MS} ms`));
    }
  }
}

function report(run: Run, startedMs: number): void {
  const { clients, done } = run;
  const answers = clients.reduce((sum, client) => sum + client.answers, 0);
  const departures = clients.reduce((sum, client) => sum + client.past.length, 0);
  const seconds = (performance.now() - startedMs) / 1000;
  print(`${answers} answers checked in ${seconds.toFixed(1)} s, ${departures} departures`);
  const counts = [...done].sort(([a], [b]) => (a < b ? -1 : 1));
  print(counts.map(([name, count]) => `${name} ${count}`).join(', '));
}

async function reportProxy(proxy: SluiceProcess): Promise<void> {
  const metrics = await proxy.metrics();
  for (const name of ['sluice_cancels_total', 'sluice_pins_total', 'sluice_refusals_total']) {
    const counted = [...samples(metrics, name)].filter(([, value]) => value > 0);
    print(`${name}: ${counted.map(([labels, value]) => `${labels} ${value}`).join('; ')}`);
  }
  const dialled = sumOf(metrics, 'sluice_server_connects_total');
  const orphans = sumOf(metrics, 'sluice_orphans_cancelled_total');
  print(`servers dialled ${dialled}; orphans cancelled ${orphans}`);
  const reasons = new Map<string, number>();
  for (const { message, reason } of proxy.logLines) {
    if (message !== 'server disconnected') continue;
    reasons.set(String(reason), (reasons.get(String(reason)) ?? 0) + 1);
  }
  for (const [reason, count] of reasons) print(`servers closed because ${reason}: ${count}`);
}

/** What it answers are the samples taken until it is called. */
function sampleMemory(proxy: SluiceProcess, everyMs: number): () => string[] {
  const taken: string[] = [];
  const timer = setInterval(() => {
    taken.push((proxy.residentBytes() / 2 ** 20).toFixed(0));
  }, everyMs);
  return () => {
    clearInterval(timer);
    return taken;
  };
}

function reportFailures(run: Run, proxy: SluiceProcess): void {
  for (const { client, error } of run.failures.slice(0, FAILURES_SHOWN)) {
    print(`\nWRONG: ${error.message}\n${client.history}`);
  }
  print(`${run.failures.length} clients failed. The end of Sluice's log:`);
  for (const line of proxy.logLines.slice(-LOG_LINES_SHOWN)) print(JSON.stringify(line));
  print(proxy.stderr());
}

/** The exit code. */
async function soak(options: Options): Promise<number> {
  print(`seed ${options.seed}: ${options.clients} clients, ${options.servers} servers`);
  const cluster = await startCluster({ settings: { deadlock_timeout: '10s' } });
  let proxy: SluiceProcess | null = null;
  try {
    const users = Array.from({ length: options.users }, (_, index) => `soak_${index}`);
    await prepare(cluster.primary, users);
    proxy = await startSluiceProcess(cluster, sluiceOptions(users, options));
    const { port } = proxy;
    const logins: WireLogin[] = users.map((user) => ({
      host: '127.0.0.1',
      port,
      user,
      database: 'soak',
    }));
    const startedMs = performance.now();
    // Nearly all have the first login, so that the others are busy now and then only.
    const clients = Array.from({ length: options.clients }, (_, index) => {
      const login = logins[index % 10 === 9 ? index % logins.length : 0] as WireLogin;
      return new SoakClient(index, login, new Random(options.seed + index * 7919), startedMs);
    });
    const run = new Run(clients, options);
    const memory = sampleMemory(proxy, (options.seconds * 1_000) / MEMORY_SAMPLES);
    await run.play();
    report(run, startedMs);
    print(`memory of the proxy in MiB, over time: ${memory().join(' ')}`);
    if (run.failures.length > 0) {
      reportFailures(run, proxy);
      return 1;
    }
    await reportProxy(proxy);
    const found = await aftermath({
      proxy,
      server: cluster.primary,
      clients,
      logins,
      serversMax: options.servers,
    });
    const code = await proxy.stop();
    if (code !== 0) found.push(`the exit code of Sluice is ${code}`);
    for (const complaint of found.slice(0, 20)) print(`LEFT BEHIND: ${complaint}`);
    print(
      found.length === 0 ? 'every answer was right' : `${found.length} things were left behind`,
    );
    return found.length === 0 ? 0 : 1;
  } finally {
    await proxy?.stop();
    await cluster.stop();
  }
}

process.exitCode = await soak(readOptions());
