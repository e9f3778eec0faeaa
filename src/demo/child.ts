/**
 * How a Postgres program is started: the account, the environment, and one that runs to its end.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import type { Account } from './account.ts';

/**
 * Our environment without what would change Postgres's behaviour: PGDATA, PGPORT and the rest of
 * libpq's variables, the locale (messages are matched in English), and the home folder, where a
 * replica's libpq would look for certificates it may not be allowed to read.
 */
export function postgresEnvironment(home: string): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!name.startsWith('PG') && !name.startsWith('LC_')) environment[name] = value;
  }
  environment['LC_ALL'] = 'C';
  environment['HOME'] = home;
  environment['TZ'] = 'UTC';
  return environment;
}

export function spawnOptions(account: Account | null, cwd: string): SpawnOptions {
  const options: SpawnOptions = { cwd, env: postgresEnvironment(cwd) };
  if (account !== null) {
    options.uid = account.uid;
    options.gid = account.gid;
  }
  return options;
}

export interface RunResult {
  /** The exit code; −1 when it was ended by a signal or never started. */
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** Runs a program to its end. A program that cannot be started is a result, not an exception. */
export function run(
  program: string,
  args: readonly string[],
  account: Account | null,
  cwd: string,
  onStart: (pid: number) => void = () => {},
): Promise<RunResult> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, {
      ...spawnOptions(account, cwd),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid !== undefined) onStart(child.pid);
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => resolve({ code: -1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, output }));
  });
}
