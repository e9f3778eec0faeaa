/** pgbench: every protocol, a connection per transaction too, twenty clients on three servers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backends, dropDatabase, freshDatabase, pgbench, value } from '../../support/cluster.ts';
import { type OpenWay, openWay, WAYS } from '../../support/ways.ts';

const CLIENTS = 20;
const SERVERS = 3;

describe.each(WAYS)('pgbench, %s', (way) => {
  let open: OpenWay;
  let database: string;

  beforeAll(async () => {
    database = await freshDatabase('pgbench');
    open = await openWay(way, { databases: [database], pool: { size: SERVERS } });
  });
  afterAll(async () => {
    await open.close();
    await dropDatabase(database);
  });
  afterEach(async () => {
    expect((await backends(database)).length).toBeLessThanOrEqual(SERVERS);
    await open.sluice.settled();
    expect(open.sluice.log.messages('error')).toEqual([]);
  });

  async function bench(args: readonly string[]): Promise<string> {
    const { code, output } = await pgbench(open.target(), args, open.parameters);
    expect({ code, output }).toMatchObject({ code: 0 });
    return output;
  }

  test('initialises its tables, with COPY and with server-side generation', async () => {
    await bench(['-i', '-s', '1', '-I', 'dtGvpf']);
    await bench(['-i', '-s', '2', '-q']);
    expect(await value('SELECT count(*) FROM pgbench_accounts', { database })).toBe('200000');
  });

  const modes = ['simple', 'extended', 'prepared'];
  // A thread per client: pgbench before 17 waits for PQprepare with the whole thread, and a client
  // that waits for a server must not keep those that hold one from going on.
  test.each(modes)('TPC-B, -M %s: the sums agree', async (mode) => {
    const crowd = String(CLIENTS);
    await bench(['-n', '-M', mode, '-c', crowd, '-j', crowd, '-t', '15']);
    const [accounts, tellers, branches, history] = await Promise.all(
      [
        'SELECT sum(abalance) FROM pgbench_accounts',
        'SELECT sum(tbalance) FROM pgbench_tellers',
        'SELECT sum(bbalance) FROM pgbench_branches',
        'SELECT sum(delta) FROM pgbench_history',
      ].map((sql) => value(sql, { database })),
    );
    expect([tellers, branches, history]).toEqual([accounts, accounts, accounts]);
  });

  test.each(modes)('select only, -M %s', async (mode) => {
    const output = await bench([
      '-n',
      '-S',
      '-M',
      mode,
      '-c',
      String(CLIENTS),
      '-j',
      '2',
      '-t',
      '50',
    ]);
    expect(output).toContain('number of transactions actually processed: 1000/1000');
  });

  test.each(modes)('a connection per transaction, -C -M %s', async (mode) => {
    const output = await bench(['-n', '-S', '-C', '-M', mode, '-c', '5', '-t', '10']);
    expect(output).toContain('number of transactions actually processed: 50/50');
  });

  test('pipelines', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbench-'));
    const path = join(folder, 'pipeline.sql');
    writeFileSync(path, '\\startpipeline\nSELECT 1;\nSELECT 2;\nSELECT 3;\n\\endpipeline\n');
    for (const mode of ['extended', 'prepared']) {
      const output = await bench(['-n', '-f', path, '-M', mode, '-c', '10', '-t', '20']);
      expect(output).toContain('number of transactions actually processed: 200/200');
    }
    rmSync(folder, { recursive: true });
  });
});
