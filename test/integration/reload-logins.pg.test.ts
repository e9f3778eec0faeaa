/** A reload changes who may come in: lookups, HBA files, verifiers, and what is kept of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query, sharedCluster, withClient } from '../support/cluster.ts';
import { type Served, serveReloading } from '../support/reloading.ts';
import { type ConfigTree, sluiceConfigTree } from '../support/sluice-config.ts';

const ROLE = 'reload_found';

beforeAll(async () => {
  await query(`DROP ROLE IF EXISTS ${ROLE}`);
  await query(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'first'`);
});
afterAll(() => query(`DROP ROLE IF EXISTS ${ROLE}`));

function tree(auth: ConfigTree): ConfigTree {
  return {
    ...sluiceConfigTree(sharedCluster().primary, {}),
    auth: { failure_delay: '10ms', ...auth },
  };
}

/** A backend's number, or why there is none. */
async function backend(served: Served, password = 'first'): Promise<number | string> {
  const login = { host: '127.0.0.1', port: served.proxy.port, user: ROLE, password };
  try {
    return await withClient({ ...login, database: 'postgres' }, async (client: Client) => {
      return (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid as number;
    });
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function stored(): Promise<string> {
  const sql = `SELECT passwd FROM pg_shadow WHERE usename = '${ROLE}'`;
  return (await query<{ passwd: string }>(sql))[0]!.passwd;
}

test('lookups come, stay over reloads, and go', async () => {
  const { superuser: user, password } = sharedCluster().primary;
  const listed = { users: { somebody: { password: 'x' } } };
  const ask = { database: 'postgres', user, password };
  const served = await serveReloading(tree(listed));
  try {
    expect(await backend(served)).toBe('28P01');
    expect(await served.reload(tree({ ...listed, query: ask }))).toBe('applied');
    const pid = await backend(served);
    expect(pid).toBeTypeOf('number');
    const changed = { ...ask, ttl: '1min', size: 1 };
    expect(await served.reload(tree({ ...listed, query: changed }))).toBe('applied');
    // The same server: what the user's login gave away is still known, and its pool wanted.
    expect(await backend(served)).toBe(pid);
    // An account that cannot log in any more leaves the answers there are.
    const broken = { ...changed, password: 'wrong' };
    expect(await served.reload(tree({ ...listed, query: broken }))).toBe('applied');
    expect(await backend(served)).toBe(pid);
    expect(await served.reload(tree(listed))).toBe('applied');
    expect(await backend(served)).toBe('28P01');
  } finally {
    await served.stop();
  }
});

test('a verifier that has changed opens new servers only', async () => {
  const old = await stored();
  const served = await serveReloading(tree({ users: { [ROLE]: { password: old } } }));
  try {
    const pid = await backend(served);
    expect(pid).toBeTypeOf('number');
    await query(`ALTER ROLE ${ROLE} PASSWORD 'second'`);
    const users = { [ROLE]: { password: await stored() } };
    expect(await served.reload(tree({ users }))).toBe('applied');
    expect(await backend(served, 'first')).toBe('28P01');
    await expect.poll(() => backend(served, 'second')).not.toBe(pid);
    expect(await backend(served, 'second')).toBeTypeOf('number');
  } finally {
    await served.stop();
    await query(`ALTER ROLE ${ROLE} PASSWORD 'first'`);
  }
});

test('an HBA file that changes counts for the next client', async () => {
  const users = { [ROLE]: { password: 'first' } };
  const served = await serveReloading(tree({ users }));
  const hba = join(served.folder, 'pg_hba.conf');
  const next = tree({ users, hba_file: hba });
  try {
    writeFileSync(hba, 'host all all 127.0.0.1/32 scram-sha-256\n');
    expect(await served.reload(next)).toBe('applied');
    expect(await backend(served)).toBeTypeOf('number');
    writeFileSync(hba, `host all ${ROLE} all reject\nhost all all all scram-sha-256\n`);
    expect(await served.reload(next)).toBe('applied');
    expect(await backend(served)).toBe('28000');
    writeFileSync(hba, 'host all all nonsense\n');
    expect(await served.reload(next)).toBe('failed');
    expect(await backend(served)).toBe('28000');
  } finally {
    await served.stop();
  }
});
