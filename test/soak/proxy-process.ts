/** The real program, started as an operator would start it, with its log kept in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_DEADLINE_MS = 20_000;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [key: string]: unknown;
}

export class ProxyProcess {
  readonly port: number;
  readonly httpPort: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<number | null>;

  private constructor(child: ChildProcess, logFile: string, port: number, httpPort: number) {
    this.#child = child;
    this.#logFile = logFile;
    this.port = port;
    this.httpPort = httpPort;
    this.pid = child.pid as number;
    this.#exited = new Promise((resolve) => {
      child.on('exit', (code) => resolve(code));
    });
  }

  /** `config` is JSON, which is YAML. */
  static async start(folder: string, config: unknown): Promise<ProxyProcess> {
    const configFile = join(folder, 'sluice.yaml');
    const logFile = join(folder, 'sluice.log');
    writeFileSync(configFile, JSON.stringify(config));
    const log = openSync(logFile, 'w');
    const args = [MAIN, 'serve', '--config', configFile];
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    const deadline = performance.now() + START_DEADLINE_MS;
    while (child.exitCode === null && performance.now() < deadline) {
      const line = logLines(logFile).find(({ message }) => message === 'listening');
      if (line !== undefined) {
        const [listener] = line['listeners'] as string[];
        return new ProxyProcess(child, logFile, portOf(listener), portOf(line['http']));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGKILL');
    throw new Error(`Sluice did not start:\n${readFileSync(logFile, 'utf8')}`);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get log(): LogLine[] {
    return logLines(this.#logFile);
  }

  /** Whatever it has written that is no log line: the runtime's last words. */
  get otherOutput(): string {
    const lines = readFileSync(this.#logFile, 'utf8').split('\n');
    return lines.filter((line) => line !== '' && !line.startsWith('{')).join('\n');
  }

  /** Samples of one metric: the labels as they stand in the text, and the value. */
  async metric(name: string): Promise<Map<string, number>> {
    const answer = await fetch(`http://127.0.0.1:${this.httpPort}/metrics`);
    const samples = new Map<string, number>();
    for (const line of (await answer.text()).split('\n')) {
      const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (match?.[1] === name) samples.set(match[2] ?? '', Number(match[3]));
    }
    return samples;
  }

  /** Of all samples together whose labels contain `label`. */
  async sum(name: string, label = ''): Promise<number> {
    let sum = 0;
    for (const [labels, value] of await this.metric(name)) if (labels.includes(label)) sum += value;
    return sum;
  }

  /** The exit code; null when it had to be killed. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function logLines(file: string): LogLine[] {
  const lines: LogLine[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      lines.push(JSON.parse(line) as LogLine);
    } catch {
      // The last line may be half written.
    }
  }
  return lines;
}

function portOf(address: unknown): number {
  return Number(/:(\d+)$/.exec(String(address))?.[1]);
}
