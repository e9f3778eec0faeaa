/** The real process: signals, the phases of stopping, and a start on a night with a broken file. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, sharedCluster } from '../support/cluster.ts';
import type { SluiceOptions } from '../support/sluice-config.ts';
import { sluiceConfigTree } from '../support/sluice-config.ts';
import {
  runSluice,
  type SluiceProcess,
  serveFile,
  startSluiceProcess,
} from '../support/sluice-process.ts';

let running: SluiceProcess[] = [];
let clients: Client[] = [];

afterEach(async () => {
  for (const client of clients) await client.end().catch(() => {});
  for (const sluice of running) await sluice.stop();
  clients = [];
  running = [];
});

async function start(options: SluiceOptions = {}, args: string[] = []): Promise<SluiceProcess> {
  const sluice = await startSluiceProcess(sharedCluster(), options, args);
  running.push(sluice);
  return sluice;
}

async function connect(sluice: SluiceProcess): Promise<Client> {
  const { superuser, password } = sharedCluster().primary;
  const client = new Client({
    host: '127.0.0.1',
    port: sluice.port,
    user: superuser,
    password,
    database: 'postgres',
  });
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

function has(sluice: SluiceProcess, message: string): boolean {
  return sluice.logLines.some((line) => line.message === message);
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'success',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

async function readiness(sluice: SluiceProcess): Promise<number> {
  return (await fetch(`http://127.0.0.1:${sluice.httpPort}/readyz`)).status;
}

function rewrite(sluice: SluiceProcess, options: SluiceOptions): void {
  const tree = sluiceConfigTree(sharedCluster().primary, options);
  writeFileSync(sluice.configPath, JSON.stringify(tree));
}

describe('reload', () => {
  test('on SIGHUP, also when nothing has changed', async () => {
    const sluice = await start();
    sluice.kill('SIGHUP');
    await eventually('it says so', () => has(sluice, 'configuration unchanged'));
  });

  test('on change; a broken file is logged, shown and counted', async () => {
    const sluice = await start();
    const client = await connect(sluice);
    writeFileSync(sluice.configPath, 'nonsense: true');
    await eventually('it says so', () => has(sluice, 'configuration not reloaded'));
    const get = async () => (await fetch(`http://127.0.0.1:${sluice.httpPort}/status`)).json();
    expect(await get()).toMatchObject({
      ok: false,
      ready: true,
      configuration: { ok: false, generation: 1, last_reload: 'failed' },
      targets: [{ ok: true, database: 'postgres', target: 'primary' }],
      pools: [{ ok: true, service: 'default', size: 3 }],
    });
    rewrite(sluice, { pool: { size: 4 }, config: { log: { level: 'info' } } });
    await eventually('it is reloaded', () => has(sluice, 'configuration reloaded'));
    const line = sluice.logLines.findLast(({ message }) => message === 'configuration reloaded');
    expect(line?.['changes']).toEqual([
      'log.level: debug -> info (now)',
      'defaults.pool.size: 3 -> 4 (now)',
    ]);
    expect(await get()).toMatchObject({
      ok: true,
      configuration: { ok: true, generation: 2, problems: [] },
      pools: [{ size: 4 }],
    });
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(await sluice.metrics()).toContain('sluice_config_generation 2');
  });

  test('a key that needs a restart keeps its value and is named', async () => {
    const sluice = await start();
    rewrite(sluice, { config: { fleet: { instance: 'another' }, log: { level: 'info' } } });
    await eventually('it is reloaded', () => has(sluice, 'configuration reloaded'));
    expect(has(sluice, 'configuration keys need a restart')).toBe(true);
    const status = await (await fetch(`http://127.0.0.1:${sluice.httpPort}/status`)).json();
    expect(status).toMatchObject({ configuration: { restart_needed: ['fleet.instance'] } });
    expect((status as { instance: string }).instance).not.toBe('another');
  });
});

describe('the last good configuration', () => {
  test('is what a restart begins with when the file is broken', async () => {
    const first = await start();
    const kept = `${first.configPath}.good`;
    const text = readFileSync(first.configPath, 'utf8');
    writeFileSync(`${first.configPath}.copy`, text);
    const second = await serveFile(`${first.configPath}.copy`, ['--last-good', kept]);
    running.push(second);
    await eventually('it is kept', () => existsSync(kept));
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    await second.stop();
    running.pop();
    writeFileSync(`${first.configPath}.copy`, 'nonsense');
    expect((await runSluice(['serve', '-c', `${first.configPath}.copy`])).code).toBe(78);
    const third = await serveFile(`${first.configPath}.copy`, ['--last-good', kept]);
    running.push(third);
    expect(third.stderr()).toContain('starting with the last good configuration');
    expect(await third.metrics()).toContain('sluice_config_last_reload_successful 0');
    await connect(third);
    // Once the file is in order again it counts.
    writeFileSync(`${first.configPath}.copy`, text.replace('"debug"', '"info"'));
    await eventually('it is reloaded', () => has(third, 'configuration reloaded'));
    rmSync(kept);
  });
});

describe('stopping', () => {
  test('goes through its phases, in which those who are here are served', async () => {
    const drain = { ready_off: '300ms', clients: '20s', transactions: '20s' };
    const sluice = await start({ config: { drain } });
    const client = await connect(sluice);
    sluice.kill('SIGTERM');
    await eventually('it is not ready', async () => (await readiness(sluice)) === 503);
    expect(has(sluice, 'accepting no more clients')).toBe(false);
    await (await connect(sluice)).end();
    await eventually('the door is shut', () => has(sluice, 'accepting no more clients'));
    expect(await codeOf(connect(sluice))).toBe('ECONNREFUSED');
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    expect(await sluice.exited).toBe(0);
  });

  test('idle clients are closed, open transactions may end', async () => {
    const drain = { ready_off: 'off', clients: 'off', transactions: '20s' };
    const sluice = await start({ config: { drain } });
    const idle = await connect(sluice);
    const busy = await connect(sluice);
    await busy.query('BEGIN');
    await busy.query('SELECT 1');
    const closed = new Promise<string>((resolve) => {
      idle.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    });
    sluice.kill('SIGTERM');
    expect(await closed).toBe('57P01');
    expect((await busy.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
    await busy.query('COMMIT');
    expect(await sluice.exited).toBe(0);
  });

  test('a second SIGINT cuts at once, and nothing runs on for nobody', async () => {
    const drain = { ready_off: '1h', clients: '1h', transactions: '1h' };
    const sluice = await start({ config: { drain } });
    const client = await connect(sluice);
    const answer = codeOf(client.query('SELECT pg_sleep(600)'));
    sluice.kill('SIGINT');
    await eventually('it is stopping', () => has(sluice, 'stopping'));
    sluice.kill('SIGINT');
    expect(await answer).toBe('57P01');
    expect(await sluice.exited).toBe(0);
    expect(has(sluice, 'stopped')).toBe(true);
  });
});
