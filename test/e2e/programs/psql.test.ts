/** psql, the client people have under their fingers, over every way. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/demo/child.ts';
import {
  backends,
  clientProgram,
  connectionString,
  dropDatabase,
  eventually,
  freshDatabase,
  psql,
  sharedCluster,
  type Target,
} from '../../support/cluster.ts';
import { testUser } from '../../support/sluice.ts';
import { type OpenWay, openWay, WAYS } from '../../support/ways.ts';

describe.each(WAYS)('psql, %s', (way) => {
  let open: OpenWay;
  let database: string;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-psql-'));
    database = await freshDatabase('psql');
    open = await openWay(way, { databases: [database], pool: { size: 2 } });
  });
  afterAll(async () => {
    await open.close();
    await dropDatabase(database);
    rmSync(folder, { recursive: true });
  });
  afterEach(() => open.sluice.settled());

  const direct = (): Target => {
    const { host, port, superuser: user, password } = sharedCluster().primary;
    return { host, port, user, password, database };
  };
  const ask = (sql: string, target = open.target()) => psql(target, sql, open.parameters);

  /** A script on standard input, errors and all; what a person would see. */
  async function script(text: string, target: Target, parameters: string): Promise<string> {
    const path = join(folder, 'script.sql');
    writeFileSync(path, text);
    const args = ['--no-psqlrc', '-f', path, connectionString(target, parameters)];
    const { output } = await run(clientProgram('psql'), args, null, folder);
    return output;
  }

  test('answers, with SCRAM for an ordinary user too', async () => {
    expect(await ask('SELECT 1')).toEqual({ code: 0, output: '1\n' });
    const target = open.target(testUser('scram'));
    expect(await ask('SELECT current_user', target)).toEqual({ code: 0, output: 'scram_user\n' });
  });

  test('the connection is encrypted as the way says', async () => {
    const { output } = await ask('\\conninfo');
    if (way === 'in the clear') expect(output).not.toMatch(/SSL|TLS/);
    else expect(output).toMatch(/SSL connection|TLSv1/);
  });

  test('a wrong password is refused', async () => {
    const { code, output } = await ask('SELECT 1', open.target({ password: 'wrong' }));
    expect(code).toBe(2);
    expect(output).toContain('FATAL:  password authentication failed for user "postgres"');
  });

  test('a long script looks the same as directly', async () => {
    const text = `
      \\set VERBOSITY verbose
      CREATE TABLE a (id serial PRIMARY KEY, name text UNIQUE, at date DEFAULT '2024-02-29');
      CREATE TABLE b (a_id int REFERENCES a, note text);
      \\d a
      \\d b
      INSERT INTO a (name) VALUES ('one'), ('two') RETURNING *;
      INSERT INTO a (name) VALUES ('one');
      BEGIN; SELECT 1/0; SELECT 1; COMMIT;
      BEGIN; SAVEPOINT s; SELECT nothing; ROLLBACK TO s; SELECT 'back'; COMMIT;
      DO $$ BEGIN RAISE NOTICE 'noticed'; RAISE WARNING 'warned'; END $$;
      COPY a (name) FROM STDIN;
three
four
\\.
      COPY a (name) FROM STDIN;
one
\\.
      COPY (SELECT name FROM a ORDER BY id) TO STDOUT;
      SELECT * FROM nowhere;
      SELEC 1;
      \\x
      SELECT * FROM a ORDER BY id LIMIT 1;
      \\x
      PREPARE p AS SELECT $1::int + 1; EXECUTE p(41); DEALLOCATE p;
      SELECT 1 \\; SELECT 2 \\; SELECT 3;
      BEGIN; DECLARE c CURSOR FOR SELECT name FROM a ORDER BY id; FETCH 2 FROM c; COMMIT;
      \\set FETCH_COUNT 3
      SELECT n FROM generate_series(1, 10) AS n;
      SET TimeZone = 'Asia/Seoul'; SHOW TimeZone; RESET TimeZone;
      \\encoding LATIN1
      SELECT U&'\\00e9';
      \\encoding UTF8
      DROP TABLE b, a;
    `;
    const straight = await script(text, direct(), 'sslmode=disable');
    const through = await script(text, open.target(), open.parameters);
    // psql tells where its script is; the rest must be equal to the letter.
    expect(through).toBe(straight);
    expect(through).toContain('duplicate key value violates unique constraint');
  });

  test('Ctrl-C stops the statement and not the connection', async () => {
    const args = ['--no-psqlrc', '-At', connectionString(open.target(), open.parameters)];
    const child = spawn(clientProgram('psql'), args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const exited = new Promise((resolve) => child.on('close', resolve));
    child.stdin.write('SELECT pg_sleep(60);\n');
    const sleeping = async (): Promise<boolean> =>
      (await backends(database)).some(({ wait_event }) => wait_event === 'PgSleep');
    await eventually('it sleeps', sleeping);
    child.kill('SIGINT');
    await eventually('it has stopped', async () => !(await sleeping()));
    child.stdin.end();
    await exited;
    expect(output).toContain('canceling statement due to user request');
    expect(output).not.toMatch(/connection|terminat/);
  });

  test('PGOPTIONS reaches the server, and a bad one is explained', async () => {
    const good = `${open.parameters}&options=${encodeURIComponent('-c work_mem=7MB')}`;
    expect(await psql(open.target(), 'SHOW work_mem', good)).toEqual({ code: 0, output: '7MB\n' });
    const bad = `${open.parameters}&options=${encodeURIComponent('-c work_mem=banana')}`;
    const straight = await psql(direct(), 'SELECT 1', 'options=-c%20work_mem%3Dbanana');
    const through = await psql(open.target(), 'SELECT 1', bad);
    expect(through.code).toBe(2);
    expect(lastLine(through.output)).toBe(lastLine(straight.output));
  });
});

/** Without the address psql begins its complaint with. */
function lastLine(output: string): string {
  return output.trim().replace(/^.*FATAL:/s, 'FATAL:');
}
