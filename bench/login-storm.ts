/**
 * Whether a storm of logins stops those who are in already:
 *
 *     node bench/login-storm.ts [--logins 2000] [--clients 50] [--rounds 3]
 *
 * Established clients send a small statement every few milliseconds, in the clear. Alternately
 * nothing else happens, and thousands of clients log in at once with TLS and SCRAM, from a process
 * of their own. Printed per round: how long the established clients wait, with and without.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { startCluster } from '../src/demo/cluster.ts';
import { makeCertificates } from '../test/support/certs.ts';
import { startSluiceProcess } from '../test/support/sluice-process.ts';

const STORM = fileURLToPath(new URL('login-storm-clients.ts', import.meta.url));
const PAUSE_MS = 20;
const QUIET_MS = 4_000;

const { values } = parseArgs({
  options: {
    logins: { type: 'string', default: '2000' },
    clients: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
  },
});

const cluster = await startCluster();
const certificates = makeCertificates();
const { certificatePath: cert, keyPath: key } = certificates.server;
const sluice = await startSluiceProcess(cluster, {
  pool: { size: 10, max_clients: 10_000 },
  config: { log: { level: 'info' }, listen: [{ port: 0, tls: { mode: 'prefer', cert, key } }] },
});
const { superuser: user, password } = cluster.primary;
const login = { host: '127.0.0.1', port: sluice.port, user, password, database: 'postgres' };

let waitsMs: number[] = [];
let over = false;

async function establish(): Promise<void> {
  const client = new Client(login);
  await client.connect();
  while (!over) {
    const sinceMs = performance.now();
    await client.query('SELECT 1');
    waitsMs.push(performance.now() - sinceMs);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await client.end();
}

/** Resolves with what the storm says of itself. */
async function storm(): Promise<string> {
  const child = spawn(process.execPath, [STORM, JSON.stringify(login), values.logins], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, 'exit');
  return said.trim();
}

function summary(): string {
  const sorted = waitsMs.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  waitsMs = [];
  return `${sorted.length} statements, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(0.9999)} ms`;
}

const clients = Array.from({ length: Number(values.clients) }, establish);
await new Promise((resolve) => setTimeout(resolve, 1_000));
for (let round = 1; round <= Number(values.rounds); round++) {
  waitsMs = [];
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  process.stdout.write(`${round} quiet: ${summary()}\n`);
  const said = await storm();
  process.stdout.write(`${round} storm: ${summary()}\n        ${said}\n`);
}
over = true;
await Promise.all(clients);
await sluice.stop();
await cluster.stop();
certificates.remove();
