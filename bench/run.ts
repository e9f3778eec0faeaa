/**
 * How fast Sluice is, beside direct connections and PgBouncer:
 *
 *     npm run bench -- [--rounds 3] [--seconds 4] [--clients 1,16,64,256]
 *                      [--modes simple,extended,prepared] [--only select,tpcb,copy,idle]
 *                      [--pool 8] [--idle 3000] [--scale 10]
 *
 * Contenders take turns in every round (A B C A B C), and what counts is the ratio within a round:
 * a machine that is slower for a minute is slower for all three. The table is printed, and every
 * number behind it is written to `bench/out/`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../src/demo/child.ts';
import { type Cluster, startCluster } from '../src/demo/cluster.ts';
import { runSql } from '../src/demo/connect.ts';
import {
  type Contender,
  DATABASE,
  direct,
  findPgBouncer,
  PASSWORD,
  pgBouncer,
  sluice,
  USER,
} from './contenders.ts';
import { COPY_BYTES_SQL, COPY_SQL, type CopyRun, idleClientBytes, runCopyOut } from './others.ts';
import {
  findProgram,
  type Mode,
  type PgbenchRun,
  runPgbench,
  STATEMENTS,
  type Workload,
} from './pgbench.ts';
import { type CpuSeconds, cpuSeconds, cpuSince } from './processes.ts';
import { copyTable, idleTable, workloadTable } from './report.ts';

const OUT = fileURLToPath(new URL('./out/', import.meta.url));
/** Where one run of TPC-B is compared. */
const TPCB_CLIENTS = 64;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

export interface Measured extends PgbenchRun {
  /** Of the pooler, per statement; null where there is none. */
  readonly cpuPerStatement: CpuSeconds | null;
}

/** One workload: the rounds of every contender that can run it. */
export interface Cell {
  readonly name: string;
  readonly workload: Workload;
  readonly rounds: Readonly<Record<string, Measured[]>>;
}

export interface Results {
  readonly cells: Cell[];
  readonly copy: Record<string, CopyRun[]>;
  readonly idle: Record<string, number[]>;
  readonly notes: string[];
}

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly clients: readonly number[];
  readonly modes: readonly Mode[];
  readonly only: readonly string[];
  readonly pool: number;
  readonly idle: number;
  readonly scale: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      clients: { type: 'string', default: '1,16,64,256' },
      modes: { type: 'string', default: 'simple,extended,prepared' },
      only: { type: 'string', default: 'select,tpcb,copy,idle' },
      pool: { type: 'string', default: '8' },
      idle: { type: 'string', default: '3000' },
      scale: { type: 'string', default: '10' },
    },
  });
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    clients: values.clients.split(',').map(Number),
    modes: values.modes.split(',') as Mode[],
    only: values.only.split(','),
    pool: Number(values.pool),
    idle: Number(values.idle),
    scale: Number(values.scale),
  };
}

function workloads({ clients, modes, only, seconds }: Options): Workload[] {
  const all: Workload[] = [];
  for (const mode of modes) {
    if (only.includes('select')) {
      for (const count of clients) all.push({ script: 'select', mode, clients: count, seconds });
    }
    // In prepared mode pgbench waits for each Parse with its whole thread, in the middle of its
    // other clients' transactions: with fewer servers than clients those can then never end.
    if (only.includes('tpcb') && mode !== 'prepared') {
      all.push({ script: 'tpcb', mode, clients: TPCB_CLIENTS, seconds });
    }
  }
  return all;
}

async function prepare(cluster: Cluster, pgbench: string, options: Options): Promise<number> {
  const { primary } = cluster;
  await runSql(primary, `CREATE ROLE ${USER} LOGIN PASSWORD '${PASSWORD}'`);
  await runSql(primary, `CREATE DATABASE ${DATABASE} OWNER ${USER}`);
  const where = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', USER, DATABASE];
  const init = ['-i', '-q', '-s', String(options.scale), ...where];
  const { code, output } = await run(pgbench, init, null, '/');
  if (code !== 0) throw new Error(`pgbench could not make its tables: ${output}`);
  if (!options.only.includes('copy')) return 0;
  const login = { database: DATABASE, user: USER, password: PASSWORD };
  for (const statement of COPY_SQL.split(';').slice(0, 2)) await runSql(primary, statement, login);
  const { rows } = await runSql<{ bytes: string }>(primary, COPY_BYTES_SQL, login);
  return Number(rows[0]?.bytes);
}

async function startContenders(cluster: Cluster, options: Options, notes: string[]) {
  const contenders = [direct(cluster.primary, cluster.version)];
  const program = findPgBouncer();
  if (program === null) notes.push('PgBouncer is not installed: its columns are empty.');
  else contenders.push(await pgBouncer(program, cluster.primary, options.pool));
  contenders.push(await sluice(cluster.primary, options.pool, process.version));
  const unable = contenders.find(({ preparesStatements }) => !preparesStatements);
  if (unable !== undefined && options.modes.includes('prepared')) {
    notes.push(
      `${unable.name} ${unable.version} has no prepared statements in transaction mode ` +
        '(they came with 1.21): those cells are left out.',
    );
  }
  return contenders;
}

async function measure(
  pgbench: string,
  contender: Contender,
  workload: Workload,
): Promise<Measured> {
  const { pid, port } = contender;
  const before = pid === null ? null : cpuSeconds(pid);
  const result = await runPgbench(pgbench, port, workload);
  if (pid === null || before === null) return { ...result, cpuPerStatement: null };
  const { user, system } = cpuSince(pid, before);
  const statements = result.transactions * STATEMENTS[workload.script];
  return { ...result, cpuPerStatement: { user: user / statements, system: system / statements } };
}

async function runCell(
  pgbench: string,
  contenders: readonly Contender[],
  workload: Workload,
  rounds: number,
): Promise<Cell> {
  const { script, mode, clients } = workload;
  const able = contenders.filter((each) => mode !== 'prepared' || each.preparesStatements);
  const results = Object.fromEntries(able.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of able) {
      results[contender.name]?.push(await measure(pgbench, contender, workload));
    }
  }
  return { name: `${script} ${mode} ${clients}`, workload, rounds: results };
}

async function bench(options: Options): Promise<void> {
  const pgbench = findProgram('pgbench');
  const psql = findProgram('psql');
  const results: Results = { cells: [], copy: {}, idle: {}, notes: [] };
  const cluster = await startCluster({
    // Clients and poolers come in without a password: it is not logins that are measured here.
    hba: ['host all bench 127.0.0.1/32 trust'],
    settings: { max_connections: 600, shared_buffers: '256MB', synchronous_commit: false },
  });
  const contenders: Contender[] = [];
  try {
    const copyBytes = await prepare(cluster, pgbench, options);
    contenders.push(...(await startContenders(cluster, options, results.notes)));
    for (const contender of contenders) {
      await measure(pgbench, contender, {
        script: 'select',
        mode: 'simple',
        clients: 16,
        seconds: 2,
      });
    }
    for (const workload of workloads(options)) {
      const cell = await runCell(pgbench, contenders, workload, options.rounds);
      results.cells.push(cell);
      print(
        `${cell.name}: ${Object.entries(cell.rounds)
          .map(([name, runs]) => `${name} ${runs.map(({ tps }) => tps.toFixed(0)).join(' ')}`)
          .join(', ')}`,
      );
    }
    for (let round = 0; options.only.includes('copy') && round < options.rounds; round++) {
      for (const contender of contenders) {
        const runs = results.copy[contender.name] ?? [];
        runs.push(await runCopyOut(psql, contender, copyBytes));
        results.copy[contender.name] = runs;
      }
    }
    for (const contender of options.only.includes('idle') ? contenders : []) {
      if (contender.pid === null) continue;
      results.idle[contender.name] = [await idleClientBytes(contender, options.idle)];
    }
    finish(results, options, contenders);
  } finally {
    for (const contender of contenders) await contender.stop();
    await cluster.stop();
  }
}

function finish(results: Results, options: Options, contenders: readonly Contender[]): void {
  const machine = {
    processors: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    versions: Object.fromEntries(contenders.map(({ name, version }) => [name, version])),
  };
  print('');
  if (results.cells.length > 0) print(`${workloadTable(results)}\n`);
  if (options.only.includes('copy')) print(`${copyTable(results)}\n`);
  if (options.only.includes('idle')) print(`${idleTable(results)}\n`);
  for (const note of results.notes) print(note);
  mkdirSync(OUT, { recursive: true });
  const at = new Date().toISOString();
  const file = `${OUT}${at.replaceAll(':', '-').slice(0, 19)}.json`;
  writeFileSync(file, `${JSON.stringify({ at, machine, options, ...results }, null, 2)}\n`);
  print(`All numbers: bench/out/${at.replaceAll(':', '-').slice(0, 19)}.json`);
}

await bench(readOptions());
