/**
 * The three ways to the same Postgres: directly, through PgBouncer, through Sluice. Both poolers
 * pool transactions over the same number of servers, trust their clients, log in with the same
 * account, and log nothing per client.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { postgresAccount } from '../src/demo/account.ts';
import type { PostgresServer } from '../src/demo/postgres-server.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const START_DEADLINE_MS = 15_000;

export const DATABASE = 'bench';
export const USER = 'bench';
export const PASSWORD = 'bench';

export interface Contender {
  readonly name: 'direct' | 'pgbouncer' | 'sluice';
  readonly version: string;
  readonly port: number;
  /** The pooler's; null for direct connections, where there is none. */
  readonly pid: number | null;
  /** Whether a client may use named prepared statements. */
  readonly preparesStatements: boolean;
  stop(): Promise<void>;
}

export function direct(server: PostgresServer, version: string): Contender {
  return {
    name: 'direct',
    version,
    port: server.port,
    pid: null,
    preparesStatements: true,
    stop: async () => {},
  };
}

export async function sluice(
  server: PostgresServer,
  poolSize: number,
  version: string,
): Promise<Contender> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const port = await freePort();
  const config = {
    listen: [{ host: '127.0.0.1', port }],
    http: { port: 'off' },
    log: { level: 'warn' },
    drain: { ready_off: 'off', transactions: '1s' },
    auth: { method: 'trust' },
    limits: { max_clients: 20_000 },
    servers: { db: { address: `127.0.0.1:${server.port}`, tls: { mode: 'disable' } } },
    databases: {
      [DATABASE]: {
        login: { user: USER, password: PASSWORD },
        targets: [{ server: 'db' }],
      },
    },
    defaults: { pool: { size: poolSize, max_clients: 20_000, max_queue: 20_000 } },
  };
  const file = join(folder, 'sluice.yaml');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [MAIN, 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return running('sluice', version, child, port, folder, true);
}

export interface BouncerProgram {
  readonly path: string;
  readonly version: string;
}

/** Debian has it in sbin, which need not be on the PATH. */
export function findPgBouncer(): BouncerProgram | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const path = join(folder, 'pgbouncer');
    if (!existsSync(path)) continue;
    const text = execFileSync(path, ['--version'], { encoding: 'utf8' });
    return { path, version: /^PgBouncer (\S+)/.exec(text)?.[1] ?? 'unknown' };
  }
  return null;
}

/** Prepared statements in transaction mode came with 1.21. */
function preparesStatements(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 21);
}

export async function pgBouncer(
  program: BouncerProgram,
  server: PostgresServer,
  poolSize: number,
): Promise<Contender> {
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-bench-'));
  const port = await freePort();
  const prepares = preparesStatements(program.version);
  const lines = [
    '[databases]',
    `${DATABASE} = host=127.0.0.1 port=${server.port} user=${USER} password=${PASSWORD}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${join(folder, 'users.txt')}`,
    'pool_mode = transaction',
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 20000',
    'server_tls_sslmode = disable',
    'log_connections = 0',
    'log_disconnections = 0',
    'stats_period = 3600',
    ...(prepares ? ['max_prepared_statements = 200'] : []),
    '',
  ];
  writeFileSync(join(folder, 'pgbouncer.ini'), lines.join('\n'));
  writeFileSync(join(folder, 'users.txt'), `"${USER}" "${PASSWORD}"\n`);
  // It refuses to run as root, as Postgres does.
  const account = await postgresAccount();
  if (account !== null) {
    for (const name of ['.', 'pgbouncer.ini', 'users.txt']) {
      chownSync(join(folder, name), account.uid, account.gid);
    }
  }
  const child = spawn(program.path, ['-q', join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(account ?? {}),
  });
  return running('pgbouncer', program.version, child, port, folder, prepares);
}

async function running(
  name: Contender['name'],
  version: string,
  child: ChildProcess,
  port: number,
  folder: string,
  preparesStatements: boolean,
): Promise<Contender> {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  await listening(name, child, port);
  return {
    name,
    version,
    port,
    pid: child.pid as number,
    preparesStatements,
    stop: async () => {
      process.off('exit', kill);
      if (child.exitCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        child.kill('SIGTERM');
        const timer = setTimeout(kill, 5_000);
        await exited;
        clearTimeout(timer);
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listening(name: string, child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) break;
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`${name} did not start listening on port ${port}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Outside the range outgoing connections are made from, so that nobody takes it meanwhile. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!(await answers(port))) return port;
  }
}
