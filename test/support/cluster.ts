/**
 * What an integration test does with a real Postgres. The shared cluster is up for the whole run
 * and is everybody's: a test makes a database of its own in it. A test that stops or breaks a
 * server starts a cluster of its own, which takes about a second.
 */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Client, type ClientConfig, type QueryResultRow } from 'pg';
import { inject } from 'vitest';
import { type RunResult, run } from '../../src/demo/child.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../../src/demo/cluster.ts';
import { connect, type Login, runSql, type ServerAddress } from '../../src/demo/connect.ts';
import type { SharedCluster } from './cluster-facts.ts';

export function sharedCluster(): SharedCluster {
  return inject('cluster');
}

/** A cluster of the Postgres this run is about; the test stops it. */
export function ownCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return startCluster({ binaries: sharedCluster().binaries, ...options });
}

/** The rows of one statement, run as the superuser on the shared primary unless told otherwise. */
export async function query<Row extends QueryResultRow = Record<string, unknown>>(
  sql: string,
  login: Login = {},
  server: ServerAddress = sharedCluster().primary,
): Promise<Row[]> {
  return (await runSql<Row>(server, sql, login)).rows;
}

/** The first column of the first row, as text. */
export async function value(
  sql: string,
  login: Login = {},
  server?: ServerAddress,
): Promise<string> {
  const [row] = await query(sql, login, server);
  return String(row === undefined ? undefined : Object.values(row)[0]);
}

/** A connection the test ends; see also `withClient`. */
export function connectTo(server: ServerAddress, login: Login = {}): Promise<Client> {
  return connect(server, login);
}

/** Any client of `pg`'s, ended when `use` is done, also when it throws. */
export async function withClient<T>(
  config: ClientConfig,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(config);
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

let databases = 0;

/** A new database on the shared primary that every test user may use; its name. */
export async function freshDatabase(label = 'test'): Promise<string> {
  const name = `${label}_${process.pid}_${++databases}`;
  await query(`CREATE DATABASE ${name}`);
  await query('GRANT ALL ON SCHEMA public TO PUBLIC', { database: name });
  return name;
}

/** Also ends whoever is still connected. */
export async function dropDatabase(name: string): Promise<void> {
  await query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

export interface Backend {
  readonly pid: number;
  readonly usename: string;
  readonly datname: string;
  readonly application_name: string;
  readonly state: string | null;
  readonly query: string;
  readonly wait_event: string | null;
}

/** The clients' backends of one database, as pg_stat_activity has them. */
export function backends(database: string, server?: ServerAddress): Promise<Backend[]> {
  return query<Backend & QueryResultRow>(
    `SELECT pid, usename, datname, application_name, state, query, wait_event
       FROM pg_stat_activity
      WHERE datname = '${database}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      ORDER BY backend_start, pid`,
    {},
    server,
  );
}

/** The polite way: the client gets FATAL 57P01. */
export async function terminateBackend(pid: number, server?: ServerAddress): Promise<void> {
  await query(`SELECT pg_terminate_backend(${pid})`, {}, server);
}

/**
 * The impolite way: the postmaster takes it for a crash, ends everybody and recovers. For a cluster
 * of the test's own.
 */
export function killBackend(pid: number): void {
  process.kill(pid, 'SIGKILL');
}

/**
 * Waits for something only Postgres knows, by asking again. Fails with `what` after the deadline;
 * the interval is short because most answers are a few milliseconds away.
 */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A client program of Postgres's; one that is missing is a failure that says what to install. */
export function clientProgram(name: 'psql' | 'pgbench' | 'pg_dump'): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort().reverse() : [];
  const folders = versions.map((version) => join(debian, version, 'bin'));
  for (const folder of [...folders, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    if (existsSync(join(folder, name))) return join(folder, name);
  }
  throw new Error(
    `${name} is not installed (Debian: postgresql-client, and postgresql for pgbench)`,
  );
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** libpq's own form, for programs that take a connection string as an argument. */
export function connectionString(target: Target, extra = ''): string {
  const { host, port, user, password, database } = target;
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return `postgresql://${login}@${host}:${port}/${database}${extra === '' ? '' : `?${extra}`}`;
}

/** Unaligned and without headers, so that the output is the data; stops at the first error. */
export function psql(target: Target, sql: string, extra = ''): Promise<RunResult> {
  const args = ['--no-psqlrc', '-AtX', '-v', 'ON_ERROR_STOP=1', '-c', sql];
  return run(clientProgram('psql'), [...args, connectionString(target, extra)], null, '/');
}

/** With any of pgbench's options; the connection string comes last. */
export function pgbench(target: Target, args: readonly string[], extra = ''): Promise<RunResult> {
  return run(clientProgram('pgbench'), [...args, connectionString(target, extra)], null, '/');
}
