/**
 * One Postgres server of a cluster: a data folder, a port, and the process while it runs. It can be
 * stopped, killed and started again; port, password and data stay.
 *
 * The port is not found by binding one and releasing it, because somebody else may take it in
 * between. A port is drawn and Postgres is started on it; if it is taken, Postgres says so and
 * another is drawn.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../util/clock.ts';
import type { Account } from './account.ts';
import { spawnOptions } from './child.ts';
import { SetupFailure } from './setup-failure.ts';
import type { Watchdog } from './watchdog.ts';

/** Below the range from which Linux draws the ports of outgoing connections (32768 and up). */
const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;
const PORT_ATTEMPTS = 20;
/** What Postgres says while processes of a killed postmaster are still there, and for how long. */
const MEMORY_IN_USE = 'pre-existing shared memory block';
const ORPHAN_ATTEMPTS = 200;
const ORPHAN_WAIT_MS = 100;
/** A standby that has much to replay is the slowest to be ready. */
const START_DEADLINE_MS = 60_000;
const READY_POLL_MS = 15;

/** Postgres's own names: fast refuses and rolls back, immediate recovers at the next start. */
const STOP_SIGNAL = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;
export type StopMode = keyof typeof STOP_SIGNAL;

export interface ServerOptions {
  readonly name: string;
  readonly binDir: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly account: Account | null;
  readonly watchdog: Watchdog;
  /** 0 draws one. */
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
  /** Where the Unix socket is; '' when the path would be too long for one. */
  readonly socketDir: string;
}

export class PostgresServer {
  readonly name: string;
  readonly host = '127.0.0.1';
  readonly superuser: string;
  readonly password: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly socketDir: string;
  /** 0 until the first start. */
  port: number;
  readonly #options: ServerOptions;
  readonly #portIsFixed: boolean;
  #process: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.name = options.name;
    this.superuser = options.superuser;
    this.password = options.password;
    this.dataDir = options.dataDir;
    this.logFile = options.logFile;
    this.socketDir = options.socketDir;
    this.port = options.port;
    this.#portIsFixed = options.port !== 0;
  }

  get running(): boolean {
    return this.#process !== null;
  }

  /** The postmaster's process id, or −1. */
  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  /** Everything the server has logged since the cluster was created. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Resolves when the server accepts connections; a standby, when it answers reads. */
  async start(): Promise<void> {
    if (this.#process !== null) return;
    for (let attempt = 1; ; attempt++) {
      const drawn = this.port === 0;
      if (drawn) this.port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
      const complaint = await this.#launch();
      if (complaint === '') return;
      const taken = complaint.includes('Address already in use');
      if (taken && drawn && !this.#portIsFixed && attempt < PORT_ATTEMPTS) {
        this.port = 0;
        continue;
      }
      // Children of a killed postmaster notice by themselves, and hold its memory until then.
      if (complaint.includes(MEMORY_IN_USE) && attempt < ORPHAN_ATTEMPTS) {
        await new Promise<void>((resolve) => systemClock.after(ORPHAN_WAIT_MS, resolve));
        continue;
      }
      throw new SetupFailure(
        taken
          ? `Port ${this.port} is in use; the ${this.name} cannot listen on it.`
          : `The ${this.name} did not start. Postgres says:\n${complaint}`,
      );
    }
  }

  /** Resolves when the process is gone. `kill` leaves its children to notice by themselves. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    this.#process?.kill(STOP_SIGNAL[mode]);
    await this.#exited;
  }

  async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** Re-reads postgresql.conf and pg_hba.conf. Postgres confirms nothing; the log says more. */
  reload(): void {
    this.#process?.kill('SIGHUP');
  }

  /** Answers '' when the server is ready, otherwise what Postgres logged before it gave up. */
  async #launch(): Promise<string> {
    const { binDir, dataDir, account, watchdog } = this.#options;
    watchdog.assertOpen();
    const logLength = readOrEmpty(this.logFile).length;
    // A file, not a pipe: a server must never wait for us to read what it has to say.
    const log = openSync(this.logFile, 'a', 0o600);
    const child = spawn(join(binDir, 'postgres'), ['-D', dataDir, '-p', String(this.port)], {
      ...spawnOptions(account, dataDir),
      // Away from the terminal's Ctrl-C, so that we decide the order in which things stop.
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      return error.message;
    }
    const pid = child.pid;
    watchdog.add(pid);
    this.#process = child;
    this.#exited = new Promise<void>((resolve) => {
      child.on('exit', () => {
        watchdog.remove(pid);
        this.#process = null;
        resolve();
      });
    });
    const deadline = systemClock.nowMs() + START_DEADLINE_MS;
    while (this.#process === child && systemClock.nowMs() < deadline) {
      if (this.#isReady(pid)) return '';
      await new Promise<void>((resolve) => systemClock.after(READY_POLL_MS, resolve));
    }
    child.kill('SIGQUIT');
    await this.#exited;
    const complaint = readOrEmpty(this.logFile).slice(logLength).trim();
    return complaint === '' ? 'nothing (it was not ready in time)' : complaint;
  }

  /** postmaster.pid: line 1 is the process id, line 8 (since Postgres 10) the state. */
  #isReady(pid: number): boolean {
    const lines = readOrEmpty(join(this.dataDir, 'postmaster.pid')).split('\n');
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
