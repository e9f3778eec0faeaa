/** pgbench: how it is run, and what its output and its log of transactions say. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from '../src/demo/child.ts';
import { DATABASE, USER } from './contenders.ts';

export type Mode = 'simple' | 'extended' | 'prepared';
export type Script = 'select' | 'tpcb';

/** Statements of one transaction: SELECT alone; BEGIN, three UPDATEs, SELECT, INSERT, END. */
export const STATEMENTS: Readonly<Record<Script, number>> = { select: 1, tpcb: 7 };

export interface PgbenchRun {
  readonly tps: number;
  readonly transactions: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Workload {
  readonly script: Script;
  readonly mode: Mode;
  readonly clients: number;
  readonly seconds: number;
}

/** The newest of Debian's, or the one on the PATH. */
export function findProgram(name: 'pgbench' | 'psql'): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort().reverse() : [];
  const folders = versions.map((version) => join(debian, version, 'bin'));
  for (const folder of [...folders, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    if (existsSync(join(folder, name))) return join(folder, name);
  }
  throw new Error(`${name} is not installed (Debian: the package postgresql)`);
}

export async function runPgbench(
  program: string,
  port: number,
  { script, mode, clients, seconds }: Workload,
): Promise<PgbenchRun> {
  const folder = mkdtempSync(join(tmpdir(), 'pgbench-'));
  try {
    const args = ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-n', '-M', mode];
    args.push('-c', String(clients), '-j', String(Math.min(2, clients)), '-T', String(seconds));
    if (script === 'select') args.push('-S');
    args.push('-l', '--log-prefix', join(folder, 'log'), DATABASE);
    const { code, output } = await run(program, args, null, folder);
    const tps = /^tps = ([\d.]+)/m.exec(output);
    if (code !== 0 || tps === null || /aborted|failed: [1-9]/.test(output)) {
      throw new Error(`pgbench ${args.join(' ')}\n${output}`);
    }
    return { tps: Number(tps[1]), ...latencies(folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * One line per transaction and one file per thread; the third field is the time in microseconds.
 */
function latencies(folder: string): Omit<PgbenchRun, 'tps'> {
  const times: number[] = [];
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'latin1').split('\n')) {
      const field = line.split(' ', 3)[2];
      if (field !== undefined) times.push(Number(field) / 1000);
    }
  }
  const sorted = Float64Array.from(times).sort();
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return {
    transactions: sorted.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
  };
}
