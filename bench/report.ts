/** The tables of a bench run. Each number is the median of the rounds. */
import { ratios, rounded, spread, table } from './figures.ts';
import type { Cell, Measured, Results } from './run.ts';

/** "0.71 (0.69–0.74)", or nothing where one of the two did not take part. */
function ratio(cell: Cell, name: string, to: string, value: (run: Measured) => number): string {
  const of = cell.rounds[name];
  const base = cell.rounds[to];
  if (of === undefined || base === undefined) return '–';
  const { median, min, max } = ratios(of.map(value), base.map(value));
  return `${rounded(median, 2)} (${rounded(min, 2)}–${rounded(max, 2)})`;
}

function medianOf(
  cell: Cell,
  name: string,
  value: (run: Measured) => number | undefined,
  digits: number,
): string {
  const runs = cell.rounds[name]?.map(value).filter((each) => each !== undefined);
  return runs === undefined ? '–' : rounded(spread(runs).median, digits);
}

/** "31 (21+10)": microseconds of processor per statement, and how much of it user and system. */
function cpu(cell: Cell, name: string): string {
  const runs = cell.rounds[name]?.map(({ cpuPerStatement }) => cpuPerStatement);
  if (runs === undefined) return '–';
  const user = spread(runs.map((run) => (run?.user ?? Number.NaN) * 1e6)).median;
  const system = spread(runs.map((run) => (run?.system ?? Number.NaN) * 1e6)).median;
  return `${rounded(user + system, 1)} (${rounded(user, 1)}+${rounded(system, 1)})`;
}

function latency(cell: Cell, name: string): string {
  const at = (value: (run: Measured) => number): string => medianOf(cell, name, value, 2);
  if (cell.rounds[name] === undefined) return '–';
  return [
    at((run) => run.p50),
    at((run) => run.p95),
    at((run) => run.p99),
    at((run) => run.p999),
  ].join(' ');
}

export function workloadTable({ cells }: Results): string {
  const throughput = cells.map((cell) => [
    cell.name,
    medianOf(cell, 'direct', ({ tps }) => tps, 0),
    medianOf(cell, 'pgbouncer', ({ tps }) => tps, 0),
    medianOf(cell, 'sluice', ({ tps }) => tps, 0),
    ratio(cell, 'sluice', 'pgbouncer', ({ tps }) => tps),
    ratio(cell, 'sluice', 'direct', ({ tps }) => tps),
    cpu(cell, 'pgbouncer'),
    cpu(cell, 'sluice'),
  ]);
  const times = cells.map((cell) => [
    cell.name,
    latency(cell, 'direct'),
    latency(cell, 'pgbouncer'),
    latency(cell, 'sluice'),
  ]);
  const head = ['pgbench', 'direct', 'PgBouncer', 'Sluice', 'Sluice/PgBouncer', 'Sluice/direct'];
  return [
    'Transactions per second; ratios with their range; processor microseconds per statement',
    '(user + system).',
    '',
    table([...head, 'PgBouncer µs', 'Sluice µs'], throughput),
    '',
    'Latency in milliseconds: p50 p95 p99 p99.9.',
    '',
    table(['pgbench', 'direct', 'PgBouncer', 'Sluice'], times),
  ].join('\n');
}

export function copyTable({ copy }: Results): string {
  const base = copy['pgbouncer']?.map(({ megabytesPerSecond }) => megabytesPerSecond);
  const rows = Object.entries(copy).map(([name, runs]) => {
    const speeds = runs.map(({ megabytesPerSecond }) => megabytesPerSecond);
    const costs = runs.map(({ cpuPerGigabyte }) => cpuPerGigabyte ?? Number.NaN);
    return [
      name,
      rounded(spread(speeds).median),
      base === undefined ? '–' : rounded(ratios(speeds, base).median, 2),
      rounded(spread(costs).median, 2),
    ];
  });
  return table(['COPY out', 'MB/s', 'to PgBouncer', 'CPU s/GB'], rows);
}

export function idleTable({ idle }: Results): string {
  const rows = Object.entries(idle).map(([name, bytes]) => [
    name,
    rounded(spread(bytes).median / 1024, 1),
  ]);
  return table(['idle clients', 'KiB each'], rows);
}
