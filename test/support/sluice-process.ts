/** The real program, as an operator starts it: exit codes, signals, output and memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyCluster } from './sluice.ts';
import { type SluiceOptions, sluiceConfigTree } from './sluice-config.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A line of its log. */
export interface LogRecord {
  readonly level: string;
  readonly message: string;
  readonly [attribute: string]: unknown;
}

export interface SluiceProcess {
  readonly pid: number;
  readonly configPath: string;
  readonly port: number;
  readonly httpPort: number;
  readonly logLines: readonly LogRecord[];
  /** What it wrote to standard error. */
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code; −1 when a signal ended it. */
  readonly exited: Promise<number>;
  residentBytes(): number;
  /** Its highest resident size so far. */
  peakResidentBytes(): number;
  metrics(): Promise<string>;
  /** Ends it however it can, and removes its configuration. */
  stop(): Promise<number>;
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Resolves when it listens, which it says at log level info; rejects with what it said when it
 * never does.
 */
export function startSluiceProcess(
  cluster: AnyCluster,
  options: SluiceOptions = {},
  args: readonly string[] = [],
): Promise<SluiceProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const path = join(folder, 'sluice.yaml');
  writeFileSync(path, JSON.stringify(sluiceConfigTree(cluster.primary, options)), { mode: 0o600 });
  return serveFile(path, args, () => rmSync(folder, { recursive: true, force: true }));
}

/** The same with a file that is there; `stopped` is called when the process has been stopped. */
export async function serveFile(
  path: string,
  args: readonly string[] = [],
  stopped: () => void = () => {},
): Promise<SluiceProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve', '-c', path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test that is broken off must not leave the process behind.
  const abandon = (): void => void child.kill('SIGKILL');
  process.once('exit', abandon);
  const logLines: LogRecord[] = [];
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const exited = exitOf(child);
  const listening = new Promise<LogRecord>((resolve, reject) => {
    onLines(child, (line) => {
      const record = JSON.parse(line) as LogRecord;
      logLines.push(record);
      if (record.message === 'listening') resolve(record);
    });
    void exited.then((code) => reject(new Error(`sluice ended with ${code}: ${stderr}`)));
  });
  const { listeners, http } = (await listening) as LogRecord & {
    listeners: string[];
    http: string;
  };
  const httpPort = portOf(http);
  const pid = child.pid as number;
  return {
    pid,
    configPath: path,
    port: portOf(listeners[0] as string),
    httpPort,
    logLines,
    stderr: () => stderr,
    kill: (signal) => void child.kill(signal),
    exited,
    residentBytes: () => statusBytes(pid, 'VmRSS'),
    peakResidentBytes: () => statusBytes(pid, 'VmHWM'),
    metrics: async () => (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text(),
    stop: async () => {
      child.kill('SIGTERM');
      child.kill('SIGTERM');
      const code = await exited;
      process.off('exit', abandon);
      stopped();
      return code;
    },
  };
}

/** Runs any command of the program to its end. */
export async function runSluice(args: readonly string[], cwd = tmpdir()): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const code = await exitOf(child);
  return { code, stdout, stderr };
}

async function exitOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? -1;
}

function onLines(child: ChildProcess, line: (text: string) => void): void {
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() as string;
    lines.forEach(line);
  });
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** From /proc, which counts in KiB. */
function statusBytes(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  );
  if (match === null) throw new Error(`no ${name} in /proc/${pid}/status`);
  return Number(match[1]) * 1024;
}
