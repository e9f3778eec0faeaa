/** Acts of cancelling: the statement that was meant, and no other one. */
import { query } from '../../conversation/say.ts';
import { row } from '../../support/wire-message.ts';
import type { SoakClient } from '../soak-client.ts';

const CANCELLED = 'E 57014';
/** A request may overtake its statement, and is then for nobody. */
const AGAIN_MS = 1_000;

/** Its answer up to the end of its result; true when it was cancelled. */
async function hearSleep(client: SoakClient): Promise<boolean> {
  let line = (await client.next()).toString();
  // One that was still waiting for a server is cancelled before it has columns.
  if (line === 'T slept') line = (await client.next()).toString();
  if (line === CANCELLED) return true;
  if (line !== 'D ') throw client.wrong(`a sleep was answered ${line}`);
  await client.hear('C SELECT 1');
  return false;
}

/** It may be running, or still wait for a server, when the request comes. */
export async function cancel(client: SoakClient): Promise<void> {
  const inTransaction = client.chance(2);
  if (inTransaction) await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
  client.send(query('SELECT pg_sleep(20) AS slept'));
  await new Promise((resolve) => setTimeout(resolve, client.random.below(30)));
  client.note('cancels');
  const requests = [client.wire.cancel()];
  const again = setInterval(() => requests.push(client.wire.cancel()), AGAIN_MS);
  try {
    if (!(await hearSleep(client))) throw client.wrong('a long sleep was not cancelled');
  } finally {
    clearInterval(again);
  }
  await client.hear(inTransaction ? 'Z E' : 'Z I');
  await Promise.all(requests);
  if (inTransaction) await client.ask(query('ROLLBACK'), 'C ROLLBACK', 'Z I');
}

/** Comes when there is nothing to cancel any more, and must hit nobody. */
export async function cancelLate(client: SoakClient): Promise<void> {
  const value = client.payload(0);
  const sql = query(`SELECT '${value}' AS v`);
  await client.ask(sql, 'T v', row(value), 'C SELECT 1', 'Z I');
  client.note('cancels nothing');
  await client.wire.cancel();
  await client.ask(sql, 'T v', row(value), 'C SELECT 1', 'Z I');
}

/**
 * Comes at the moment at which the statement ends. When the request's connection is closed, it has
 * done what it was going to do: the next statement is safe, as it is with Postgres.
 */
export async function cancelRace(client: SoakClient): Promise<void> {
  const inTransaction = client.chance(2);
  if (inTransaction) await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
  client.send(query(`SELECT pg_sleep(0.00${client.random.below(6)}) AS slept`));
  client.note('cancels');
  const request = client.wire.cancel();
  const cancelled = await hearSleep(client);
  const failed = inTransaction && cancelled;
  await client.hear(failed ? 'Z E' : inTransaction ? 'Z T' : 'Z I');
  await request;
  const value = client.payload(0);
  if (failed) await client.ask(query('SELECT 1'), 'E 25P02', 'Z E');
  else {
    const status = inTransaction ? 'Z T' : 'Z I';
    await client.ask(query(`SELECT '${value}' AS v`), 'T v', row(value), 'C SELECT 1', status);
  }
  if (inTransaction) await client.ask(query('ROLLBACK'), 'C ROLLBACK', 'Z I');
}
