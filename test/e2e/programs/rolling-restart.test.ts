/**
 * Upgrade side by side: a new process listens on the port of the old one, which then drains. Under
 * pgbench, with a connection for every transaction and with connections that stay, not one fails.
 */
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  dropDatabase,
  eventually,
  freshDatabase,
  pgbench,
  sharedCluster,
} from '../../support/cluster.ts';
import type { SluiceOptions } from '../../support/sluice-config.ts';
import { type SluiceProcess, startSluiceProcess } from '../../support/sluice-process.ts';

let running: SluiceProcess[] = [];
afterEach(async () => {
  for (const sluice of running) await sluice.stop();
  running = [];
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function clientsOf(sluice: SluiceProcess): Promise<number> {
  const counts = (await sluice.metrics()).matchAll(
    /^sluice_logins_total\{service="default",outcome="ok"\} (\d+)$/gm,
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

test('two processes take turns on one port under pgbench', async () => {
  const database = await freshDatabase('rolling');
  const port = await freePort();
  const options: SluiceOptions = {
    databases: [database],
    // pgbench waits for one connection at a time: all of them must be able to go on.
    pool: { size: 10 },
    config: {
      listen: [{ host: '127.0.0.1', port, reuse_port: true }],
      drain: { ready_off: 'off', clients: '30s', transactions: '10s' },
      log: { level: 'info' },
    },
  };
  const start = async (): Promise<SluiceProcess> => {
    const sluice = await startSluiceProcess(sharedCluster(), options);
    running.push(sluice);
    return sluice;
  };
  let current = await start();
  const { superuser: user, password } = sharedCluster().primary;
  const target = { host: '127.0.0.1', port, user, password, database };
  const prepared = await pgbench({ ...sharedCluster().primary, user, password, database }, ['-i']);
  expect(prepared.code).toBe(0);
  const load = Promise.all([
    pgbench(target, ['-n', '-c', '4', '-C', '-T', '9']),
    pgbench(target, ['-n', '-c', '4', '-M', 'prepared', '-T', '9']),
  ]);
  for (let turn = 0; turn < 3; turn++) {
    const next = await start();
    await eventually('the new one has clients', async () => (await clientsOf(next)) > 0);
    current.kill('SIGTERM');
    const old = current;
    await eventually('the old one lets nobody in', () =>
      old.logLines.some(({ message }) => message === 'accepting no more clients'),
    );
    current = next;
  }
  for (const { code, output } of await load) {
    expect(output).not.toMatch(/error|FATAL|aborted/i);
    expect(output).toMatch(/number of failed transactions: 0 /);
    expect(code).toBe(0);
  }
  await dropDatabase(database);
});
