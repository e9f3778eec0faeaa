/**
 * Acts of leaving: with and without a goodbye, by FIN and by reset, in the middle of everything.
 * Each says what may be found in the client's rows afterwards, and ends with a new connection.
 *
 * What Postgres does when a client of its own leaves so is the measure: what was committed stays,
 * what was not is undone, a batch without its Sync was never committed.
 */
import { copyDone, sync, terminate } from '../../../src/wire/constants.ts';
import { copyData, query } from '../../conversation/say.ts';
import type { Rows, SoakClient } from '../soak-client.ts';
import { COPY_IN, copyRows } from './copy.ts';
import { pinned } from './sessions.ts';
import { anyChange, insertSql, RAN, run } from './statements.ts';

type Departure = (client: SoakClient) => Promise<void>;

export async function depart(client: SoakClient): Promise<void> {
  const departure = client.pick(DEPARTURES);
  client.act = `depart ${departure.name}`;
  await departure(client);
  client.wire.socket.destroy();
  await client.connect();
}

/** Rows after one more change, and the change's text. */
function oneMore(client: SoakClient, before: Rows): { sql: string; after: Rows } {
  const change = anyChange(client, before);
  const after = new Map(before);
  change.apply(after);
  return { sql: change.sql, after };
}

/** A transaction with a change in it, still open. */
async function open(client: SoakClient): Promise<Rows> {
  await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
  const change = anyChange(client, client.rows);
  await client.ask(query(change.sql), change.tag, 'Z T');
  const after = new Map(client.rows);
  change.apply(after);
  return after;
}

async function politely(client: SoakClient): Promise<void> {
  client.leave('Terminate', client.rows);
  await client.hangUp(terminate);
}

async function silently(client: SoakClient): Promise<void> {
  client.leave('FIN', client.rows);
  await client.hangUp();
}

async function byReset(client: SoakClient): Promise<void> {
  client.leave('RST', client.rows);
  client.wire.reset();
}

/** A goodbye comes after what was said before it. */
async function withLastWords(client: SoakClient): Promise<void> {
  const { sql, after } = oneMore(client, client.rows);
  const extended = client.chance(2);
  client.leave('a change, then Terminate', after);
  const words = extended ? Buffer.concat([run(sql), sync]) : query(sql);
  await client.hangUp(Buffer.concat([words, terminate]));
}

/** What was sent before a FIN may be carried out or be taken for an orphan. */
async function inMidStatement(client: SoakClient): Promise<void> {
  const { sql, after } = oneMore(client, client.rows);
  client.leave('a change, then nothing', client.rows, after);
  if (client.chance(2)) {
    client.send(query(sql));
    client.wire.reset();
  } else await client.hangUp(query(sql));
}

async function inTransaction(client: SoakClient): Promise<void> {
  await open(client);
  client.leave('inside a transaction', client.rows);
  if (client.chance(2)) client.wire.reset();
  else await client.hangUp(client.chance(2) ? terminate : undefined);
}

/** COMMIT is never cancelled for want of somebody to hear of it. */
async function behindCommit(client: SoakClient): Promise<void> {
  const after = await open(client);
  client.leave('COMMIT, then FIN', after);
  await client.hangUp(query('COMMIT'));
}

async function behindCommitByReset(client: SoakClient): Promise<void> {
  const after = await open(client);
  client.leave('COMMIT, then RST', client.rows, after);
  client.send(query('COMMIT'));
  client.wire.reset();
}

/** The statement would run for twenty seconds, and there are not many servers. */
async function duringSleep(client: SoakClient): Promise<void> {
  await open(client);
  client.leave('during a long statement', client.rows);
  client.send(query('SELECT pg_sleep(20)'));
  await new Promise((resolve) => setTimeout(resolve, client.random.below(10)));
  if (client.chance(2)) client.wire.reset();
  else await client.hangUp();
}

async function inMidMessage(client: SoakClient): Promise<void> {
  if (client.chance(2)) await open(client);
  // Short ones never reach a server in part; long ones do.
  const length = client.pick([10, 1_000, 600_000]);
  const id = client.newRow();
  const message = client.chance(2)
    ? query(insertSql(client, id, client.payload(id, length)))
    : run('SELECT $1::text', client.payload(id, length));
  client.leave('in the middle of a message', client.rows);
  const half = message.subarray(0, 1 + client.random.below(message.length - 1));
  if (client.chance(2)) {
    client.send(half);
    client.wire.reset();
  } else await client.hangUp(half);
}

/** Never committed, whoever sends the Sync that its client did not. */
async function inMidBatch(client: SoakClient): Promise<void> {
  const { sql } = oneMore(client, client.rows);
  client.leave('in the middle of a batch', client.rows);
  const goodbye = client.pick([undefined, terminate]);
  client.send(run(sql));
  if (client.chance(2)) await new Promise((resolve) => setTimeout(resolve, 20));
  if (client.chance(2)) client.wire.reset();
  else await client.hangUp(goodbye);
}

async function inMidCopy(client: SoakClient): Promise<void> {
  const { messages } = copyRows(client);
  const extended = client.chance(2);
  if (extended) await client.ask(run(COPY_IN), ...RAN, 'G');
  else await client.ask(query(COPY_IN), 'G');
  client.leave('in the middle of COPY data', client.rows);
  const goodbye = client.pick([undefined, terminate]);
  const data = Buffer.concat([...messages, copyData('half a row')]);
  const cut = client.chance(2) ? data.subarray(0, client.random.below(data.length)) : data;
  client.send(cut);
  if (client.chance(2)) client.wire.reset();
  else await client.hangUp(cut === data ? goodbye : undefined);
}

/** Gone before the server has answered that it wants data. */
async function beforeCopyBegan(client: SoakClient): Promise<void> {
  client.leave('a COPY, then nothing', client.rows);
  const goodbye = client.pick([undefined, terminate]);
  const open = client.chance(2) ? query(COPY_IN) : run(COPY_IN);
  if (client.chance(2)) {
    client.send(open);
    client.wire.reset();
  } else await client.hangUp(goodbye === undefined ? open : Buffer.concat([open, goodbye]));
}

/** The whole COPY and a goodbye, in one breath. */
async function behindCopy(client: SoakClient): Promise<void> {
  const { rows, messages } = copyRows(client);
  client.leave('a COPY and Terminate', new Map([...client.rows, ...rows]));
  await client.hangUp(Buffer.concat([query(COPY_IN), ...messages, copyDone, terminate]));
}

/** With state on its server that nobody else may find. */
async function whilePinned(client: SoakClient): Promise<void> {
  await pinned(client);
  client.leave('pinned', client.rows);
  if (client.chance(2)) client.wire.reset();
  else await client.hangUp(client.pick([undefined, terminate]));
}

/** A result that nobody reads, and then nobody wants. */
async function unread(client: SoakClient): Promise<void> {
  const text = client.payload(0, 200);
  client.leave('without reading a large result', client.rows);
  client.wire.socket.pause();
  client.send(query(`SELECT repeat('${text}', 50) FROM generate_series(1, 2000)`));
  await new Promise((resolve) => setTimeout(resolve, client.random.below(400)));
  client.wire.reset();
}

/** Others come and go before they are in. */
async function duringLogin(client: SoakClient): Promise<void> {
  const other = client.dial();
  other.welcome().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, client.random.below(3)));
  if (client.chance(2)) other.reset();
  else other.socket.destroy();
  await politely(client);
}

const DEPARTURES: readonly Departure[] = [
  politely,
  silently,
  byReset,
  withLastWords,
  inMidStatement,
  inTransaction,
  behindCommit,
  behindCommitByReset,
  duringSleep,
  inMidMessage,
  inMidBatch,
  inMidCopy,
  beforeCopyBegan,
  behindCopy,
  whilePinned,
  unread,
  duringLogin,
];
