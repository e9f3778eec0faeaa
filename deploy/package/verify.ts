/**
 * Proves that the package works where it will be used: packs `dist/`, installs the tarball in an
 * empty folder elsewhere, and runs the installed command there. `npm run package`, after a build.
 *
 * What this catches and no other test does: a file missing from the package, a development
 * dependency needed at run time, a `.ts` left in an import, a bin that is not executable.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const STEP_TIMEOUT_MS = 220_000;
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 15_000;
const PROBE_EVERY_MS = 100;
const EXIT_USAGE = 64;

async function verify(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  try {
    install(folder);
    const sluice = join(folder, 'node_modules/.bin/sluice');
    const example = join(folder, 'node_modules/sluice-pg/config/sluice.example.yaml');
    expectOutput(run(folder, sluice, ['version']), /\d+\.\d+\.\d+/);
    expectOutput(run(folder, sluice, ['--help']), /serve/);
    expectOutput(run(folder, sluice, ['check', '-c', example]), /ok/);
    expectFailure(() => run(folder, sluice, ['no-such-command']), EXIT_USAGE);
    await serveAndStop(folder, sluice);
    process.stdout.write('the package installs, runs and stops\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(folder: string): void {
  run(folder, 'npm', ['pack', dist, '--pack-destination', folder]);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  // Nothing the package needs may depend on an install script being allowed to run.
  run(folder, 'npm', [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    `./${tarball}`,
  ]);
}

function run(folder: string, command: string, args: readonly string[]): string {
  process.stdout.write(`$ ${command} ${args.join(' ')}\n`);
  const output = execFileSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: STEP_TIMEOUT_MS,
  });
  process.stdout.write(output);
  return output;
}

/** No database is needed: a proxy is ready when it listens, whatever is behind it. */
async function serveAndStop(folder: string, sluice: string): Promise<void> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const config = join(folder, 'sluice.yaml');
  writeFileSync(
    config,
    [
      `listen: [{ host: 127.0.0.1, port: ${port} }]`,
      `http: { host: 127.0.0.1, port: ${httpPort} }`,
      'auth: { method: trust, users: { somebody: {} } }',
      'databases:',
      '  shop: { targets: [{ name: primary, url: "postgres://127.0.0.1:1/shop", role: primary }] }',
      '',
    ].join('\n'),
  );
  process.stdout.write(`$ ${sluice} serve -c ${config}\n`);
  const child = spawn(sluice, ['serve', '-c', config], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit', { signal: AbortSignal.timeout(STEP_TIMEOUT_MS) });
  try {
    await ready(child, httpPort);
    child.kill('SIGTERM');
    const timeout = pause(STOP_TIMEOUT_MS, null, { ref: false });
    const [code] = (await Promise.race([exited, timeout])) ?? ['still running'];
    if (code !== 0) throw new Error(`expected exit code 0 after SIGTERM, got ${code}`);
  } finally {
    child.kill('SIGKILL');
  }
}

async function ready(child: ChildProcess, httpPort: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += PROBE_EVERY_MS) {
    if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode} at its start`);
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => null);
    if (answer?.status === 200) return;
    await pause(PROBE_EVERY_MS);
  }
  throw new Error(`not ready within ${START_TIMEOUT_MS} ms`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function expectOutput(output: string, pattern: RegExp): void {
  if (!pattern.test(output)) throw new Error(`expected ${pattern} in the output`);
}

function expectFailure(action: () => void, exitCode: number): void {
  try {
    action();
  } catch (error) {
    if ((error as { status?: unknown }).status === exitCode) return;
    throw error;
  }
  throw new Error(`expected exit code ${exitCode}, got 0`);
}

await verify();
