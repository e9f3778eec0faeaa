/**
 * A real Postgres primary and its streaming replicas, made from nothing in about two seconds, in
 * one folder that disappears with them. The demo, the tests and the bench share it.
 *
 * A replica is a copy of the primary's data folder made before the primary ever ran: a folder fresh
 * from initdb is as cold as a backup can be, so that no base backup has to be taken. Its
 * replication slot keeps the primary's log however long the replica is stopped.
 *
 * Every path, the password and the ports belong to one cluster; any number of clusters can run side
 * by side.
 */
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../util/clock.ts';
import { type Account, postgresAccount } from './account.ts';
import { run } from './child.ts';
import { runSql } from './connect.ts';
import { copyTree } from './copy-tree.ts';
import {
  type PostgresBinaries,
  packagedBinaries,
  prepareBinaries,
  type RunnableBinaries,
} from './postgres-binaries.ts';
import { PostgresServer } from './postgres-server.ts';
import { configure, makeStandby, type Settings, type TlsFiles, writeFor } from './server-files.ts';
import { SetupFailure } from './setup-failure.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

const SUPERUSER = 'postgres';
/** sockaddr_un holds 107 bytes on Linux and 103 on macOS; "/.s.PGSQL.65535.lock" is 20 of them. */
const SOCKET_DIR_MAX = 83;
const CATCH_UP_POLL_MS = 10;

export interface ClusterOptions {
  /** Which Postgres; by default the packaged one. */
  readonly binaries?: PostgresBinaries;
  readonly replicas?: number;
  /** The primary's; 0 draws one. Replicas always draw. */
  readonly port?: number;
  /** For every server; they win over this module's own. */
  readonly settings?: Settings;
  /** pg_hba.conf lines that come before ours (which ask for scram-sha-256 over loopback). */
  readonly hba?: readonly string[];
  readonly tls?: TlsFiles;
  /** The superuser's; drawn when absent. */
  readonly password?: string;
  /** Aborting it stops what has been started so far; `startCluster` then rejects. */
  readonly signal?: AbortSignal;
  /** Told what begins, for a person who waits. */
  readonly onStep?: (step: string) => void;
}

export interface Cluster {
  /** Holds everything of this cluster. */
  readonly folder: string;
  /** As Postgres prints it, such as 18.4. */
  readonly version: string;
  readonly majorVersion: number;
  readonly primary: PostgresServer;
  readonly replicas: readonly PostgresServer[];
  /** Resolves when every running replica has replayed what the primary has written until now. */
  caughtUp(timeoutMs?: number): Promise<void>;
  /** Ends every server at once and removes the folder. May be called twice. */
  stop(): Promise<void>;
}

/** Everything the steps below need to know of one another. */
interface Site {
  readonly folder: string;
  readonly account: Account | null;
  readonly watchdog: Watchdog;
  readonly password: string;
  readonly binaries: RunnableBinaries;
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const account = await postgresAccount();
  const folder = await makeFolder(account);
  // From here on the folder is removed whatever happens to this process.
  const watchdog = startWatchdog(folder);
  const abort = (): void => void watchdog.finish();
  options.signal?.addEventListener('abort', abort);
  try {
    if (options.signal?.aborted) abort();
    const found = options.binaries ?? packagedBinaries();
    const binaries = await prepareBinaries(found, account, join(folder, 'postgres'));
    const password = options.password ?? randomBytes(12).toString('hex');
    const site: Site = { folder, account, watchdog, password, binaries };
    return await build(site, options);
  } catch (error) {
    await watchdog.finish();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

async function build(site: Site, options: ClusterOptions): Promise<Cluster> {
  const { folder, binaries, watchdog } = site;
  const step = options.onStep ?? (() => {});
  step(`initdb, Postgres ${binaries.version}`);
  const primary = describeServer(site, 'primary', options.port ?? 0);
  await initialise(site, primary.dataDir);
  await configure(primary.dataDir, {
    settings: options.settings ?? {},
    hba: options.hba ?? [],
    tls: options.tls ?? null,
    socketDir: primary.socketDir,
    account: site.account,
  });
  const replicas: PostgresServer[] = [];
  for (let number = 1; number <= (options.replicas ?? 0); number++) {
    const replica = describeServer(site, `replica-${number}`, 0);
    await copyTree(primary.dataDir, replica.dataDir, { owner: site.account });
    replicas.push(replica);
  }
  step('primary');
  await primary.start();
  for (const replica of replicas) {
    step(replica.name);
    await attach(site, primary, replica);
  }
  return {
    folder,
    version: binaries.version,
    majorVersion: binaries.majorVersion,
    primary,
    replicas,
    caughtUp: (timeoutMs = 30_000) => caughtUp(primary, replicas, timeoutMs),
    stop: () => watchdog.finish(),
  };
}

function describeServer(site: Site, name: string, port: number): PostgresServer {
  const { folder, account, watchdog, password } = site;
  return new PostgresServer({
    name,
    binDir: site.binaries.binDir,
    dataDir: join(folder, name),
    logFile: join(folder, `${name}.log`),
    // Servers differ in port, so their sockets can share the folder.
    socketDir: folder.length <= SOCKET_DIR_MAX ? folder : '',
    account,
    watchdog,
    port,
    superuser: SUPERUSER,
    password,
  });
}

/** The C locale exists on every machine and sorts the same on all of them. */
async function initialise(site: Site, dataDir: string): Promise<void> {
  const { folder, account, binaries, watchdog } = site;
  const passwordFile = join(folder, 'password');
  await writeFor(passwordFile, `${site.password}\n`, account);
  const args = ['--pgdata', dataDir, '--username', SUPERUSER, '--pwfile', passwordFile];
  args.push('--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync');
  // Since 18 the default; they cost time and protect data nobody keeps.
  if (binaries.majorVersion >= 18) args.push('--no-data-checksums');
  watchdog.assertOpen();
  let pid = 0;
  const result = await run(join(binaries.binDir, 'initdb'), args, account, folder, (started) => {
    pid = started;
    watchdog.add(pid);
  });
  watchdog.remove(pid);
  await rm(passwordFile, { force: true });
  if (result.code === 0) return;
  const says = `initdb failed. It says:\n${result.output.trim()}`;
  // Common in containers that are given a bare number as their user.
  const nameless = result.output.includes('could not look up effective user ID');
  throw new SetupFailure(
    nameless ? `${says}\nIt needs a user with a line in /etc/passwd; root will do as well.` : says,
  );
}

async function attach(site: Site, primary: PostgresServer, replica: PostgresServer): Promise<void> {
  const slot = replica.name.replace('-', '_');
  await runSql(primary, `SELECT pg_create_physical_replication_slot('${slot}', true)`);
  const connection =
    `host=${primary.host} port=${primary.port} user=${SUPERUSER} password=${site.password} ` +
    `application_name=${slot} sslmode=disable gssencmode=disable`;
  await makeStandby(replica.dataDir, connection, slot, site.account);
  await replica.start();
}

async function caughtUp(
  primary: PostgresServer,
  replicas: readonly PostgresServer[],
  timeoutMs: number,
): Promise<void> {
  const { rows } = await runSql<{ lsn: string }>(primary, 'SELECT pg_current_wal_lsn() AS lsn');
  const lsn = rows[0]!.lsn;
  const deadline = systemClock.nowMs() + timeoutMs;
  for (const replica of replicas) {
    if (!replica.running) continue;
    const sql = `SELECT pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn AS done`;
    while ((await runSql<{ done: boolean | null }>(replica, sql)).rows[0]?.done !== true) {
      if (systemClock.nowMs() > deadline) {
        throw new SetupFailure(`${replica.name} did not reach ${lsn} within ${timeoutMs} ms.`);
      }
      await new Promise<void>((resolve) => systemClock.after(CATCH_UP_POLL_MS, resolve));
    }
  }
}

/** A folder of ours that the account owns and can reach; the first place where that works. */
async function makeFolder(account: Account | null): Promise<string> {
  for (const place of [tmpdir(), '/tmp', '/var/tmp']) {
    const folder = await mkdtemp(join(place, 'sluice-postgres-')).catch(() => null);
    if (folder === null) continue;
    if (account === null) return folder;
    await chown(folder, account.uid, account.gid);
    const { code } = await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], account, '/');
    if (code === 0) return folder;
    await rm(folder, { recursive: true });
  }
  throw new SetupFailure('There is no temporary folder Postgres could use; set TMPDIR to one.');
}
