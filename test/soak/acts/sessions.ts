/** Acts about what belongs to a session: settings that follow it, and state that pins it. */
import { query } from '../../conversation/say.ts';
import { row } from '../../support/wire-message.ts';
import type { SoakClient } from '../soak-client.ts';

const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/New_York'];

function anySetting(client: SoakClient): { name: string; reported: string; value: string } {
  return client.chance(2)
    ? { name: 'application_name', reported: 'application_name', value: client.payload(0, 20) }
    : { name: 'timezone', reported: 'TimeZone', value: client.pick(ZONES) };
}

function mustReport(client: SoakClient, name: string, value: string): void {
  const reported = client.wire.parameters.get(name);
  if (reported !== value) throw client.wrong(`${name} was reported as ${reported}, not ${value}`);
}

/** SET, for good or for as long as its transaction. */
export async function set(client: SoakClient): Promise<void> {
  const { name, reported, value } = anySetting(client);
  const before = client.wire.parameters.get(reported) as string;
  switch (client.random.below(4)) {
    case 0:
      await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
      await client.ask(query(`SET ${name} = '${value}'`), 'C SET', 'Z T');
      mustReport(client, reported, value);
      await client.ask(query('ROLLBACK'), 'C ROLLBACK', 'Z I');
      mustReport(client, reported, before);
      break;
    case 1:
      await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
      await client.ask(query(`SET LOCAL ${name} = '${value}'`), 'C SET', 'Z T');
      mustReport(client, reported, value);
      await client.ask(query('COMMIT'), 'C COMMIT', 'Z I');
      mustReport(client, reported, before);
      break;
    case 2:
      await client.ask(
        query(`SELECT set_config('${name}', '${value}', true)`),
        'T set_config',
        row(value),
        'C SELECT 1',
        'Z I',
      );
      mustReport(client, reported, before);
      break;
    default:
      await client.ask(query(`SET ${name} = '${value}'`), 'C SET', 'Z I');
      mustReport(client, reported, value);
      client.settings.set(name, value);
  }
}

/** What was set is so on every server. */
export async function show(client: SoakClient): Promise<void> {
  for (const [name, value] of client.settings) {
    const column = name === 'timezone' ? 'TimeZone' : name;
    await client.ask(query(`SHOW ${name}`), `T ${column}`, row(value), 'C SHOW', 'Z I');
  }
}

/** A session that leaves something behind keeps its server, until it discards it. */
export async function pinned(client: SoakClient): Promise<void> {
  const { id } = client;
  switch (client.random.below(5)) {
    case 0:
      await client.ask(query('CREATE TEMP TABLE mine (x text)'), 'C CREATE TABLE', 'Z I');
      await client.ask(query(`INSERT INTO mine VALUES ('${id}')`), 'C INSERT 0 1', 'Z I');
      await client.ask(query('SELECT x FROM mine'), 'T x', row(`${id}`), 'C SELECT 1', 'Z I');
      break;
    case 1: {
      const sql = `SELECT pg_try_advisory_lock(${id}, ${client.epoch}) AS got`;
      await client.ask(query(sql), 'T got', row('t'), 'C SELECT 1', 'Z I');
      break;
    }
    case 2: {
      const value = `${100_000 + id}ms`;
      await client.ask(query(`SET statement_timeout = '${value}'`), 'C SET', 'Z I');
      const sql = `SELECT setting FROM pg_settings WHERE name = 'statement_timeout'`;
      await client.ask(query(sql), 'T setting', row(`${100_000 + id}`), 'C SELECT 1', 'Z I');
      break;
    }
    case 3:
      await client.ask(query(`PREPARE mine AS SELECT ${id} AS x`), 'C PREPARE', 'Z I');
      await client.ask(query('EXECUTE mine'), 'T x', row(`${id}`), 'C SELECT 1', 'Z I');
      break;
    default:
      await client.ask(query(`LISTEN channel_${id}`), 'C LISTEN', 'Z I');
  }
}

/** DISCARD ALL takes everything away: statements and settings too. */
export async function pinnedAndFreed(client: SoakClient): Promise<void> {
  await pinned(client);
  await client.ask(query('DISCARD ALL'), 'C DISCARD ALL', 'Z I');
  client.prepared.clear();
  client.settings.clear();
  mustReport(client, 'application_name', '');
  mustReport(client, 'TimeZone', 'UTC');
}
