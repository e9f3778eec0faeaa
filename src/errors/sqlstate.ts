/**
 * SQLSTATEs as metrics need them. A label must be bounded, and a server (or an extension, or a
 * `RAISE`) may send any five characters, so what is counted is the class, the first two, and only
 * those the SQL standard and Postgres define; the rest are `other`.
 *
 * Source: appendix "PostgreSQL Error Codes" of the Postgres manual.
 */
import type { Fault } from './catalog.ts';

/** Class → whose business an error of that class usually is. */
const classes: ReadonlyMap<string, Fault> = new Map<string, Fault>([
  ['00', 'client'],
  ['01', 'client'],
  ['02', 'client'],
  ['03', 'client'],
  ['08', 'network'],
  ['09', 'client'],
  ['0A', 'client'],
  ['0B', 'client'],
  ['0F', 'client'],
  ['0L', 'client'],
  ['0P', 'client'],
  ['0Z', 'client'],
  ['10', 'client'],
  ['20', 'client'],
  ['21', 'client'],
  ['22', 'client'],
  ['23', 'client'],
  ['24', 'client'],
  ['25', 'client'],
  ['26', 'client'],
  ['27', 'client'],
  ['28', 'client'],
  ['2B', 'client'],
  ['2D', 'client'],
  ['2F', 'client'],
  ['34', 'client'],
  ['38', 'client'],
  ['39', 'client'],
  ['3B', 'client'],
  ['3D', 'client'],
  ['3F', 'client'],
  ['40', 'client'],
  ['42', 'client'],
  ['44', 'client'],
  ['53', 'capacity'],
  ['54', 'capacity'],
  ['55', 'client'],
  ['57', 'server'],
  ['58', 'server'],
  ['72', 'server'],
  ['F0', 'server'],
  ['HV', 'server'],
  ['P0', 'client'],
  ['XX', 'server'],
]);

const OTHER_CLASS = 'other';

/** `42P01` → `42`; anything Postgres does not define → `other`. */
export function sqlstateClass(sqlstate: string): string {
  const prefix = sqlstate.slice(0, 2);
  return sqlstate.length === 5 && classes.has(prefix) ? prefix : OTHER_CLASS;
}

/** Whose fault an error is that a server sent. Our own errors carry theirs in the catalog. */
export function faultOfServerError(sqlstate: string): Fault {
  // query_canceled sits in class 57, but a cancel is something somebody asked for.
  if (sqlstate === '57014') return 'client';
  return classes.get(sqlstate.slice(0, 2)) ?? 'server';
}
