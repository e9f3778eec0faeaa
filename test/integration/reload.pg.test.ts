/**
 * A configuration that changes under load: clients that run statement after statement must not see
 * one of them fail, whatever is changed; and a file that is wrong changes nothing at all.
 */
import { cpSync, mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConfigWatch } from '../../src/app/config-watch.ts';
import { systemClock } from '../../src/util/clock.ts';
import { encodeSslRequest } from '../../src/wire/startup.ts';
import { Writer } from '../../src/wire/writer.ts';
import { makeCertificates, type TestCertificates } from '../support/certs.ts';
import { eventually, query, sharedCluster } from '../support/cluster.ts';
import {
  type Load,
  reloadLogin,
  reloadTree,
  type Served,
  serveReloading,
  startLoad,
} from '../support/reloading.ts';
import { type ConfigTree, sluiceConfigTree } from '../support/sluice-config.ts';

let stops: (() => Promise<void> | void)[] = [];
let certificates: TestCertificates;

beforeAll(async () => {
  certificates = makeCertificates();
  await query("CREATE ROLE reload_user LOGIN PASSWORD 'first'");
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});
afterAll(async () => {
  certificates.remove();
  await query('DROP ROLE reload_user');
});

async function serve(config: ConfigTree): Promise<Served> {
  const served = await serveReloading(config);
  stops.push(served.stop);
  return served;
}

async function load(served: Served, password = (): string => 'first'): Promise<Load> {
  const started = await startLoad(served.proxy, password);
  stops.push(started.stop);
  return started;
}

describe('under load', () => {
  test('sizes, deadlines, users and services change without a failed statement', async () => {
    const served = await serve(reloadTree());
    const clients = await load(served);
    const steps: ConfigTree[] = [
      { defaults: { pool: { size: 1 } } },
      { defaults: { pool: { size: 5 }, timeouts: { transaction: '1min' } } },
      { services: [{ name: 'loop', match: { users: 'reload_user' }, pool: { size: 2 } }] },
      { services: [{ name: 'loop', match: { users: 'nobody' } }] },
      { services: [] },
      { defaults: { pool: { size: 2, mode: 'session' } } },
      { defaults: { pool: { size: 3, mode: 'transaction' } } },
    ];
    for (const step of steps) {
      expect(await served.reload(reloadTree(step))).toBe('applied');
      await clients.more();
    }
    await clients.stop();
    expect(clients.errors).toEqual([]);
    expect(served.proxy.config.generation).toBe(steps.length + 1);
  });

  test('shrinking closes servers, idle ones at once and busy ones at release', async () => {
    const served = await serve(reloadTree({ defaults: { pool: { size: 5 } } }));
    const clients = await load(served);
    await eventually('five servers', () => served.proxy.pools.serverCount === 5);
    await served.reload(reloadTree({ defaults: { pool: { size: 2 } } }));
    await eventually('two servers', () => served.proxy.pools.serverCount === 2);
    await clients.more();
    await clients.stop();
    expect(clients.errors).toEqual([]);
  });

  test('a password rotates: the server first, then the file', async () => {
    const served = await serve(reloadTree());
    let password = 'first';
    const clients = await load(served, () => password);
    const before = [...served.proxy.pools].flatMap((pool) => [...pool.leased, ...pool.idle]);
    await query("ALTER ROLE reload_user PASSWORD 'second'");
    const rotated = (passwords: string[]): ConfigTree => ({
      ...reloadTree(),
      auth: { users: { reload_user: { password: passwords } } },
    });
    expect(await served.reload(rotated(['second', 'first']))).toBe('applied');
    await clients.more();
    password = 'second';
    await clients.more();
    expect(await served.reload(rotated(['second']))).toBe('applied');
    await clients.more();
    await clients.stop();
    expect(clients.errors).toEqual([]);
    const after = [...served.proxy.pools].flatMap((pool) => [...pool.leased, ...pool.idle]);
    expect(after.filter((server) => before.includes(server))).toEqual([]);
    expect(JSON.stringify(served.log.lines)).not.toContain('second');
    await query("ALTER ROLE reload_user PASSWORD 'first'");
  });

  test('a password that the server does not take leaves the servers there are', async () => {
    const served = await serve(reloadTree());
    const client = new Client(reloadLogin(served.proxy));
    await client.connect();
    stops.push(() => client.end());
    await client.query('SELECT 1');
    const wrong = { ...reloadTree(), auth: { users: { reload_user: { password: ['wrong'] } } } };
    expect(await served.reload(wrong)).toBe('applied');
    await eventually('the proof fails', () =>
      served.log.messages('warn').includes('server connect failed'),
    );
    for (let turn = 0; turn < 20; turn++) await client.query('SELECT 1');
  });

  test('a broken file in between changes nothing, and every problem is logged', async () => {
    const served = await serve(reloadTree());
    const clients = await load(served);
    writeFileSync(served.path, 'listen: [\nnonsense');
    expect(await served.reloader.reload('a test')).toBe('failed');
    expect(await served.reload({ ...reloadTree(), nonsense: 1, http: { prt: 1 } })).toBe('failed');
    await clients.more();
    await clients.stop();
    expect(clients.errors).toEqual([]);
    expect(served.proxy.config.generation).toBe(1);
    const { problems } = served.reloader.status;
    expect(problems).toHaveLength(2);
    const text = await served.proxy.metrics.text();
    expect(text).toContain('sluice_config_reloads_total{result="failed"} 2');
    expect(text).toContain('sluice_config_last_reload_successful 0');
    expect(await served.reload(reloadTree())).toBe('unchanged');
    expect(await served.proxy.metrics.text()).toContain('sluice_config_last_reload_successful 1');
  });

  test('a database moves to another server: new transactions run there', async () => {
    const { primary, replica } = sharedCluster();
    const served = await serve(reloadTree());
    const clients = await load(served);
    const client = new Client(reloadLogin(served.proxy));
    await client.connect();
    stops.push(() => client.end());
    await client.query('BEGIN');
    const where = async (): Promise<boolean> =>
      (await client.query('SELECT pg_is_in_recovery() AS replica')).rows[0].replica;
    expect(await where()).toBe(false);
    expect(await served.reload(reloadTree({}, replica))).toBe('applied');
    await clients.more();
    expect(await where()).toBe(false);
    await client.query('COMMIT');
    expect(await where()).toBe(true);
    expect(await served.reload(reloadTree({}, primary))).toBe('applied');
    await clients.more();
    expect(await where()).toBe(false);
    await clients.stop();
    expect(clients.errors).toEqual([]);
  });

  test('the account for servers changes for sessions that are there', async () => {
    const served = await serve(reloadTree());
    const clients = await load(served);
    const client = new Client(reloadLogin(served.proxy));
    await client.connect();
    stops.push(() => client.end());
    const who = async (): Promise<string> =>
      (await client.query('SELECT current_user AS who')).rows[0].who;
    expect(await who()).toBe('reload_user');
    const { superuser, password } = sharedCluster().primary;
    const databases = (login: unknown): ConfigTree => ({
      databases: { postgres: { login, targets: [{ server: 'db' }] } },
    });
    await served.reload(reloadTree(databases({ user: superuser, password })));
    await clients.more();
    expect(await who()).toBe(superuser);
    await served.reload(reloadTree(databases('client')));
    await clients.more();
    expect(await who()).toBe('reload_user');
    await eventually('no server is left of the other account', () =>
      [...served.proxy.pools].every(({ size, spec }) => size === 0 || spec.wanted),
    );
    await clients.stop();
    expect(clients.errors).toEqual([]);
  });
});

describe('who may come in', () => {
  test('users and databases that are gone let nobody in and put nobody out', async () => {
    const served = await serve(reloadTree());
    const client = new Client(reloadLogin(served.proxy));
    await client.connect();
    stops.push(() => client.end());
    const without = sluiceConfigTree(sharedCluster().primary);
    expect(await served.reload(without)).toBe('applied');
    const late = new Client(reloadLogin(served.proxy));
    await expect(late.connect()).rejects.toMatchObject({ code: '28P01' });
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    const elsewhere = { ...reloadTree(), databases: { other: { targets: { server: 'db' } } } };
    expect(await served.reload(elsewhere)).toBe('applied');
    const stranger = new Client(reloadLogin(served.proxy));
    await expect(stranger.connect()).rejects.toMatchObject({ code: '3D000' });
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('listeners come and go, and show the new certificate', async () => {
    const { server, misnamed } = certificates;
    const pair = join(mkdtempSync(join(tmpdir(), 'sluice-pair-')), 'pair');
    const put = (from: typeof server): void => {
      cpSync(from.certificatePath, `${pair}.crt`);
      cpSync(from.keyPath, `${pair}.key`);
    };
    put(server);
    const tls = { cert: `${pair}.crt`, key: `${pair}.key` };
    const plain = { host: '127.0.0.1', port: 0 };
    const encrypted = { host: '127.0.0.1', port: 0, tls };
    const served = await serve(reloadTree({ listen: [encrypted] }));
    const { port } = served.proxy;
    expect(await subjectOf(port)).toBe('localhost');
    const client = new Client({ ...reloadLogin(served.proxy), ssl: { rejectUnauthorized: false } });
    await client.connect();
    stops.push(() => client.end());
    put(misnamed);
    expect(await served.reload(reloadTree({ listen: [encrypted] }))).toBe('applied');
    expect(await subjectOf(port)).toBe('elsewhere');
    cpSync(server.keyPath, `${pair}.key`);
    expect(await served.reload(reloadTree({ listen: [encrypted] }))).toBe('failed');
    expect(await subjectOf(port)).toBe('elsewhere');
    // One more listener, then none but that one.
    expect(await served.reload(reloadTree({ listen: [plain, plain] }))).toBe('applied');
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await expect(subjectOf(port)).rejects.toThrow();
  });

  test('a port that cannot be had changes nothing', async () => {
    const served = await serve(reloadTree());
    const other = await serve(reloadTree());
    const taken = { host: '127.0.0.1', port: other.proxy.port };
    const own = { host: '127.0.0.1', port: 0 };
    const { port } = served.proxy;
    expect(await served.reload(reloadTree({ listen: [own, taken], log: { level: 'warn' } }))).toBe(
      'failed',
    );
    expect(served.proxy.port).toBe(port);
    expect(served.proxy.config.log.level).toBe('debug');
    expect(served.reloader.status.problems[0]).toContain(
      `cannot listen on 127.0.0.1:${taken.port}`,
    );
  });
});

describe('watching', () => {
  test("a secret behind Kubernetes' links takes effect when the link is swapped", async () => {
    const served = await serve(reloadTree());
    const volume = join(served.folder, 'volume');
    const version = (name: string, password: string): void => {
      mkdirSync(join(volume, name), { recursive: true });
      writeFileSync(join(volume, name, 'password'), password);
    };
    version('..1', 'first');
    symlinkSync('..1', join(volume, '..data'));
    symlinkSync(join('..data', 'password'), join(volume, 'password'));
    const config = {
      ...reloadTree(),
      auth: { users: { reload_user: { password: [`file:${join(volume, 'password')}`] } } },
    };
    expect(await served.reload(config)).toBe('applied');
    const watch = new ConfigWatch({
      clock: systemClock,
      log: served.log,
      files: () => served.reloader.files,
      changed: (path) => served.reloader.reload(path),
    });
    await watch.start();
    stops.push(() => watch.stop());
    version('..2', 'third');
    symlinkSync('..2', join(volume, '..data_tmp'));
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    await eventually('the new password is in effect', () => served.proxy.config.generation === 3);
    expect(served.proxy.config.auth.users.get('reload_user')?.passwords).toEqual(['third']);
    const line = served.log.lines.findLast(({ message }) => message === 'configuration reloaded');
    expect(line?.attributes['changes']).toEqual([
      'auth.users.reload_user.password: (secret) -> (secret) (now)',
    ]);
    served.write({ ...config, log: { level: 'warn' } });
    await eventually('the new level is in effect', () => served.proxy.config.generation === 4);
  });
});

/** The common name a TLS listener shows; rejects when nobody listens. */
function subjectOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      const writer = new Writer();
      encodeSslRequest(writer);
      socket.write(writer.take());
    });
    socket.on('error', reject);
    socket.once('data', () => {
      const secure = tlsConnect({ socket, rejectUnauthorized: false }, () => {
        const name = secure.getPeerCertificate().subject.CN;
        secure.destroy();
        resolve(String(name));
      });
      secure.on('error', reject);
    });
  });
}
