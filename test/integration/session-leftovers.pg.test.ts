/**
 * What one client leaves on a server must not be what the next one finds, in the cases that are
 * easily forgotten: state that no statement's text shows, and settings that go back to a default.
 */
import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { Backend } from '../../src/wire/codes.ts';
import * as constants from '../../src/wire/constants.ts';
import * as say from '../conversation/say.ts';
import { eventually, sharedCluster, withClient } from '../support/cluster.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';
import type { SluiceOptions } from '../support/sluice-config.ts';
import { WireClient } from '../support/wire-client.ts';

const TRUST = { auth: { method: 'trust' } };

async function within(options: SluiceOptions, use: (sluice: TestSluice) => Promise<void>) {
  const sluice = await startSluice(sharedCluster(), {
    ...options,
    pool: { size: 1, ...options.pool },
  });
  try {
    await use(sluice);
  } finally {
    await sluice.stop();
  }
}

async function show(client: Client, setting: string): Promise<unknown> {
  const { rows } = await client.query(`SELECT current_setting('${setting}') AS value`);
  return rows[0]?.value;
}

describe('a setting of the login', () => {
  const options = '-c search_path=pg_temp,pg_catalog';
  test.each(['transaction', 'session'])('is back after RESET, in %s pooling', (mode) =>
    within({ pool: { mode } }, async (sluice) => {
      for (const sql of [
        'RESET search_path',
        'RESET ALL',
        'SET search_path TO DEFAULT',
        'DISCARD ALL',
      ]) {
        await withClient({ ...sluice.client(), options }, async (client) => {
          await client.query(sql);
          expect(await show(client, 'search_path'), sql).toBe('pg_temp,pg_catalog');
        });
        await withClient({ ...sluice.client(), options }, async (client) => {
          expect(await show(client, 'search_path'), sql).toBe('pg_temp,pg_catalog');
        });
      }
    }),
  );

  test('that is refused costs nobody a server', () =>
    within({}, async (sluice) => {
      const pid = () =>
        withClient(sluice.client(), async (client) => {
          const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
          return rows[0]?.pid;
        });
      const before = await pid();
      const refused = { ...sluice.client(), options: '-c search_path=one -c statement_timeout=x' };
      await expect(withClient(refused, async () => {})).rejects.toThrow('statement_timeout');
      expect(await pid()).toBe(before);
      await withClient(sluice.client(), async (client) => {
        expect(await show(client, 'search_path')).toBe('"$user", public');
      });
    }));
});

test('DISCARD ALL in session pooling does not make a session clean for ever', () =>
  within({ pool: { mode: 'session' } }, async (sluice) => {
    await withClient(sluice.client(), async (client) => {
      await client.query('DISCARD ALL');
      await client.query('SET search_path = pg_temp');
    });
    await withClient(sluice.client(), async (client) => {
      expect(await show(client, 'search_path')).toBe('"$user", public');
    });
  }));

/** pg_try_advisory_lock(bigint) by the function call of the protocol. */
test('what a function call has left is gone when its server is given back', () =>
  within({ config: TRUST }, async (sluice) => {
    const one = await WireClient.connect({ ...sluice.target() });
    const call = Buffer.alloc(5 + 4 + 2 + 2 + 2 + 4 + 8 + 2);
    call.write('F');
    call.writeInt32BE(call.length - 1, 1);
    call.writeInt32BE(2882, 5);
    call.writeInt16BE(1, 9);
    call.writeInt16BE(1, 11);
    call.writeInt16BE(1, 13);
    call.writeInt32BE(8, 15);
    call.writeBigInt64BE(77n, 19);
    call.writeInt16BE(1, 27);
    one.send(call);
    const replies = await one.replies();
    expect(replies.map((reply) => reply.toString()).join('\n')).not.toContain('Error');
    await withClient(sluice.client(), async (other) => {
      const { rows } = await other.query(
        "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = 77",
      );
      expect(rows).toEqual([{ n: 0 }]);
    });
    one.socket.destroy();
  }));

test('a portal that was read in part pins its session as much as one that was read whole', () =>
  within({ config: TRUST, pool: { size: 2 } }, async (sluice) => {
    const one = await WireClient.connect({ ...sluice.target() });
    const sql = 'SELECT pg_advisory_lock(78) FROM generate_series(1, 3)';
    one.send(
      Buffer.concat([say.parse('', sql), say.bind('', ''), say.execute('', 1), constants.sync]),
    );
    await one.replies();
    expect(sluice.counts().servers['leased']).toBe(1);
    one.socket.destroy();
    await sluice.settled();
  }));

test('a pipeline of any length needs no Sync before its end', () =>
  within({ config: TRUST }, async (sluice) => {
    const one = await WireClient.connect({ ...sluice.target() });
    const pair = Buffer.concat([say.bind('', 's'), say.execute('')]);
    const pairs = 30_000;
    one.send(
      Buffer.concat([say.parse('s', 'SELECT 1'), ...new Array(pairs).fill(pair), constants.sync]),
    );
    const replies = await one.replies();
    const completed = replies.filter(({ code }) => code === Backend.CommandComplete);
    expect(completed.length).toBe(pairs);
    one.socket.destroy();
    await sluice.settled();
  }));

test('a client that asks for answers and reads none of them is not served without end', () =>
  within({ config: TRUST }, async (sluice) => {
    const one = await WireClient.connect({ ...sluice.target() });
    one.socket.pause();
    const flood = Buffer.concat(new Array(200_000).fill(constants.sync));
    for (let round = 0; round < 40; round++) one.socket.write(flood);
    const session = sluice.proxy.door.services.all.map((service) => service.idle.first())[0];
    await eventually('it is no longer read', () => session?.link.paused === true);
    expect(session?.link.socket.writableLength ?? 0).toBeLessThan(2_000_000);
    one.socket.destroy();
    await sluice.settled();
  }));

test.each(['', 'huge'])('a statement too long to be kept is where it was prepared: "%s"', (name) =>
  within({ config: TRUST, pool: { size: 2 } }, async (sluice) => {
    const one = await WireClient.connect({ ...sluice.target() });
    one.send(
      Buffer.concat([say.parse(name, `SELECT 1 -- ${'x'.repeat(300_000)}`), constants.sync]),
    );
    await one.replies();
    await withClient(sluice.client(), async (other) => {
      await other.query('BEGIN; SELECT 1');
      one.send(Buffer.concat([say.bind('', name), say.execute(''), constants.sync]));
      const replies = await one.replies();
      expect(replies.map(({ code }) => String.fromCharCode(code)).join('')).toBe('2DCZ');
    });
    one.socket.destroy();
    await sluice.settled();
  }),
);
