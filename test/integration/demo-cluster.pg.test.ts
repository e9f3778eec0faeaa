/** The cluster the demo and every test of this folder stand on. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { chooseAccount, postgresAccount } from '../../src/demo/account.ts';
import type { Cluster } from '../../src/demo/cluster.ts';
import { connect, runSql } from '../../src/demo/connect.ts';
import { copyTree } from '../../src/demo/copy-tree.ts';
import { runDemo } from '../../src/demo/demo.ts';
import { packagedBinaries } from '../../src/demo/postgres-binaries.ts';
import { eventually, killBackend, ownCluster, sharedCluster, value } from '../support/cluster.ts';

const support = (file: string) => fileURLToPath(new URL(`../support/${file}`, import.meta.url));
const opened: Cluster[] = [];
const children: ChildProcess[] = [];

/** Runs a file of test/support; what is still running after the test is killed. */
function start(file: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(process.execPath, [support(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  children.push(child);
  return child;
}

async function open(options: Parameters<typeof ownCluster>[0] = {}): Promise<Cluster> {
  const cluster = await ownCluster(options);
  opened.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const cluster of opened.splice(0)) await cluster.stop();
});

/** A zombie is gone: an orphan stays one for as long as process 1 does not collect it. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\sZ/m.test(readFileSync(status, 'utf8'));
}

/** The first line of a child's output that looks like what `wanted` looks for. */
async function lineOf(child: ChildProcess, wanted: RegExp): Promise<string> {
  const seen: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    if (wanted.test(line)) return line;
    seen.push(line);
  }
  throw new Error(`the child ended without saying ${wanted}; it said:\n${seen.join('\n')}`);
}

describe('a cluster', () => {
  test('streams what the primary commits to a read-only replica', async () => {
    const cluster = await open({ replicas: 1 });
    const replica = cluster.replicas[0]!;
    await runSql(cluster.primary, 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS n');
    await cluster.caughtUp();
    expect(await value('SELECT count(*) FROM t', {}, replica)).toBe('1000');
    await expect(runSql(replica, 'INSERT INTO t VALUES (1)')).rejects.toThrow('read-only');
  });

  test('keeps port and data when a server is stopped, killed and started', async () => {
    const cluster = await open({ replicas: 1 });
    const { primary } = cluster;
    const { port } = primary;
    await runSql(primary, 'CREATE TABLE t AS SELECT 1 AS n');
    await primary.restart('fast');
    await primary.restart('immediate');
    await primary.restart('kill');
    expect(primary.port).toBe(port);
    await runSql(primary, 'INSERT INTO t VALUES (2)');
    await cluster.caughtUp();
    expect(await value('SELECT count(*) FROM t', {}, cluster.replicas[0]!)).toBe('2');
  }, 60_000);

  test('survives the crash of a backend, as Postgres does', async () => {
    const { primary } = await open();
    const client = await connect(primary);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = new Promise<void>((resolve) => client.on('end', () => resolve()));
    killBackend(rows[0]!.pid);
    await ended;
    await eventually('the primary answers again', () =>
      value('SELECT 1', {}, primary).then(
        () => true,
        () => false,
      ),
    );
    expect(primary.log()).toContain('was terminated by signal 9');
  });

  test('says which port is taken when it was told which to use', async () => {
    const { port } = sharedCluster().primary;
    await expect(ownCluster({ port })).rejects.toThrow(`Port ${port} is in use`);
  });

  test('shows what Postgres complains about when it does not start', async () => {
    const settings = { no_such_setting: 1 };
    await expect(ownCluster({ settings })).rejects.toThrow(
      'unrecognized configuration parameter "no_such_setting"',
    );
  });

  test('removes its folder and leaves no process, also when it is stopped twice', async () => {
    const cluster = await open({ replicas: 1 });
    const pids = [cluster.primary.pid, cluster.replicas[0]!.pid];
    await cluster.stop();
    await cluster.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(cluster.folder)).toBe(false);
  });

  test('stops half-way when it is told to while it starts', async () => {
    const controller = new AbortController();
    const signal = controller.signal;
    const onStep = (step: string) => {
      if (step === 'primary') queueMicrotask(() => controller.abort());
    };
    await expect(ownCluster({ signal, onStep, replicas: 1 })).rejects.toThrow();
  });
});

describe('where Postgres runs', () => {
  test('never as root', async () => {
    const owner = statSync(sharedCluster().primary.dataDir).uid;
    expect(owner).not.toBe(0);
    expect(owner).toBe((await postgresAccount())?.uid ?? process.getuid?.());
  });

  test('from a folder its account may not enter, which lacks its library links', async () => {
    const hidden = mkdtempSync(join(tmpdir(), 'sluice-hidden-'));
    try {
      const packaged = packagedBinaries();
      const nativeDir = join(hidden, 'native');
      await copyTree(packaged.nativeDir!, nativeDir, {
        owner: null,
        skip: (name) => name.endsWith('.a'),
      });
      const list = readFileSync(join(nativeDir, 'pg-symlinks.json'), 'utf8');
      for (const { target } of JSON.parse(list) as { target: string }[]) {
        rmSync(join(hidden, target), { force: true });
      }
      // As a user, the links cannot be made; as root they can, but the account cannot follow us.
      chmodSync(join(nativeDir, 'lib'), 0o555);
      const binaries = { ...packaged, nativeDir, binDir: join(nativeDir, 'bin') };
      const cluster = await open({ binaries, replicas: 1 });
      await cluster.caughtUp();
      expect(existsSync(join(cluster.folder, 'postgres', 'bin', 'postgres'))).toBe(true);
      expect(await value('SELECT 1', {}, cluster.replicas[0]!)).toBe('1');
    } finally {
      chmodSync(join(hidden, 'native', 'lib'), 0o755);
      rmSync(hidden, { recursive: true });
    }
  });

  // As an ordinary user the whole suite shows it.
  test.runIf(process.getuid?.() === 0 && othersMayRead(support('cluster-child.ts')))(
    'as an ordinary user',
    async () => {
      const user = chooseAccount('nobody:x:65534:65534::/:\n')!;
      const child = start('cluster-child.ts', [JSON.stringify(sharedCluster().binaries)], {
        ...user,
        cwd: '/',
        env: {},
      });
      const exited = once(child, 'exit');
      const { folder, pids } = JSON.parse(await lineOf(child, /^\{/)) as Facts;
      expect(statSync(folder).uid).toBe(user.uid);
      child.kill('SIGTERM');
      await exited;
      await eventually('the servers are gone', () => !pids.some(isAlive));
      await eventually('the folder is gone', () => !existsSync(folder));
    },
  );
});

interface Facts {
  readonly folder: string;
  readonly pids: readonly number[];
}

/** Whether every folder on the way lets others in. */
function othersMayRead(path: string): boolean {
  for (let at = path; at !== '/'; at = join(at, '..')) {
    if ((statSync(at).mode & 0o004) === 0) return false;
  }
  accessSync(path, constants.R_OK);
  return true;
}

describe('when the process that started it dies', () => {
  test('SIGKILL leaves no server and no file behind', async () => {
    const child = start('cluster-child.ts', [JSON.stringify(sharedCluster().binaries)]);
    const { folder, pids } = JSON.parse(await lineOf(child, /^\{/)) as Facts;
    expect(pids.every(isAlive)).toBe(true);
    child.kill('SIGKILL');
    await eventually('the servers are gone', () => !pids.some(isAlive));
    await eventually('the folder is gone', () => !existsSync(folder));
  });
});

describe('the demo', () => {
  test('starts, tries its own connection string, and with --exit stops with 0', async () => {
    const child = start('demo-child.ts', ['--exit']);
    const exited = once(child, 'exit');
    const ready = await lineOf(child, /a query through Sluice was answered/);
    expect(ready).toMatch(/^ +\d+\.\d s {2}ready/);
    expect(await exited).toEqual([0, null]);
  });

  test('runs until Ctrl-C, which stops everything and leaves nothing behind', async () => {
    const child = start('demo-child.ts', []);
    const exited = once(child, 'exit');
    const line = await lineOf(child, /sluice\.yaml$/);
    const folder = line.replace(/^.* (\/.*)\/sluice\.yaml$/, '$1');
    expect(existsSync(folder)).toBe(true);
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(existsSync(folder)).toBe(false);
  });

  test('can be stopped while it is still starting', async () => {
    const child = start('demo-child.ts', []);
    const exited = once(child, 'exit');
    await lineOf(child, / s {2}primary$/);
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
  });

  test('takes a free port where a usual one is taken, but not in place of one asked for', async () => {
    const lines: string[] = [];
    const io = { print: (line: string) => lines.push(line), signal: new AbortController().signal };
    const configs: string[] = [];
    // Both usual ports are taken; what stands in for the proxy is the primary itself.
    const startProxy = async (path: string) => {
      const text = readFileSync(path, 'utf8');
      configs.push(text);
      for (const port of [9632, 6432]) {
        if (text.includes(`port: ${port} }`)) {
          throw Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port });
        }
      }
      const port = Number(/address: "127.0.0.1:(\d+)"/.exec(text)![1]);
      return { port, httpPort: 0, stop: async () => {} };
    };
    expect(await runDemo({ orders: 10, exit: true }, io, startProxy)).toBe(0);
    expect(configs.length).toBe(3);
    expect(await runDemo({ orders: 10, exit: true, port: 6432 }, io, startProxy)).toBe(1);
    expect(lines).toContain('Port 6432 is in use. Choose another with --port; 0 finds one.');
  });
});
