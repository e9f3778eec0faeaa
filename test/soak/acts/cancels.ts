/** Acts of cancelling: the statement that was meant, and no other one. */
import { query } from '../../conversation/say.ts';
import { row } from '../../support/wire-message.ts';
import type { SoakClient } from '../soak-client.ts';

const SLEEP = 'SELECT pg_sleep(20)';

/** It may be running or still wait for a server when the request comes. */
export async function cancel(client: SoakClient): Promise<void> {
  const inTransaction = client.chance(2);
  if (inTransaction) await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
  client.send(query(SLEEP));
  await new Promise((resolve) => setTimeout(resolve, client.random.below(30)));
  client.note('cancels');
  // A request that comes before the statement is for nobody, and there is no way to know.
  const repeat = setInterval(() => void client.wire.cancel(), 1_000);
  const taken = client.wire.cancel();
  if (client.wire.ended !== null) throw client.wrong('closed');
  try {
    await client.hearCancelled(inTransaction ? 'Z E' : 'Z I');
  } finally {
    clearInterval(repeat);
  }
  await taken;
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

/** Comes at the moment at which the statement ends. */
export async function cancelRace(client: SoakClient): Promise<void> {
  const inTransaction = client.chance(2);
  if (inTransaction) await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
  client.send(query(`SELECT pg_sleep(0.00${client.random.below(6)}) AS slept`));
  const taken = client.wire.cancel();
  const first = (await client.next()).toString();
  const wasCancelled = first === 'E 57014';
  if (!wasCancelled) {
    if (first !== 'T slept') throw client.wrong(`a short sleep was answered ${first}`);
    // Rows may be on their way when the request comes.
    const second = (await client.next()).toString();
    if (second === 'E 57014') throw client.wrong('cancelled after its first row was announced');
    if (second !== 'D ') throw client.wrong(`a short sleep was answered ${second}`);
    await client.hear('C SELECT 1');
  }
  const failed = inTransaction && wasCancelled;
  await client.hear(failed ? 'Z E' : inTransaction ? 'Z T' : 'Z I');
  // Once the request's connection is closed, it has done what it was going to do.
  await taken;
  const value = client.payload(0);
  if (failed) await client.ask(query('SELECT 1'), 'E 25P02', 'Z E');
  else {
    const status = inTransaction ? 'Z T' : 'Z I';
    await client.ask(query(`SELECT '${value}' AS v`), 'T v', row(value), 'C SELECT 1', status);
  }
  if (inTransaction) await client.ask(query('ROLLBACK'), 'C ROLLBACK', 'Z I');
}
