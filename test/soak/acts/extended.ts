/** Acts of the extended protocol: statements with and without names, batches, portals, Flush. */
import { flush, sync } from '../../../src/wire/constants.ts';
import { bind, close, describe, execute, parse, query } from '../../conversation/say.ts';
import { row } from '../../support/wire-message.ts';
import type { SoakClient } from '../soak-client.ts';
import { anyChange, anyFailure, COLUMNS, RAN, rowLines, run, selectSql } from './statements.ts';

/** More texts than a server keeps statements, so that some are evicted all the time. */
const TEXTS = 80;
/** A few are everybody's favourites, so that clients share them. */
const FAVOURITES = 6;
const NAMES = 12;

/** The `number`th text that clients prepare; what it answers says which one was run. */
function numbered(number: number): string {
  return `SELECT $1::text || '/${number}' AS echo, ${number} AS number`;
}

function numberedLines(number: number, value: string): string[] {
  return [row(`${value}/${number}`, String(number)), 'C SELECT 1'];
}

/** An unnamed statement, with and without Describe. */
export async function unnamed(client: SoakClient): Promise<void> {
  const value = client.payload(0, client.chance(30) ? 400_000 : 200);
  const number = client.random.below(TEXTS);
  const sent = [parse('', numbered(number)), bind('', '', [value])];
  const lines = ['1', '2'];
  if (client.chance(2)) {
    sent.push(describe('P', ''));
    lines.push('T echo,number');
  }
  sent.push(execute(''), sync);
  await client.ask(Buffer.concat(sent), ...lines, ...numberedLines(number, value), 'Z I');
}

/** The unnamed statement outlives its batch, and so its server. */
export async function unnamedTwice(client: SoakClient): Promise<void> {
  const number = client.random.below(TEXTS);
  await client.ask(
    Buffer.concat([parse('', numbered(number)), describe('S', ''), sync]),
    '1',
    't',
    'T echo,number',
    'Z I',
  );
  for (let left = client.random.below(3); left >= 0; left--) {
    const value = client.payload(0);
    const sent = Buffer.concat([bind('', '', [value]), execute(''), sync]);
    await client.ask(sent, '2', ...numberedLines(number, value), 'Z I');
  }
}

/** Prepares what is not prepared, uses what is, closes some: wherever the session is by then. */
export async function named(client: SoakClient): Promise<void> {
  const name = `s${client.random.below(NAMES)}`;
  const sent: Buffer[] = [];
  const lines: string[] = [];
  let number = client.prepared.get(name);
  if (number === undefined) {
    number = client.random.below(client.chance(3) ? TEXTS : FAVOURITES);
    sent.push(parse(name, numbered(number)));
    lines.push('1');
    client.prepared.set(name, number);
    if (client.chance(2)) {
      sent.push(describe('S', name));
      lines.push('t', 'T echo,number');
    }
    if (client.chance(2)) {
      sent.push(sync);
      lines.push('Z I');
    }
  }
  for (let left = client.random.below(3); left >= 0; left--) {
    const value = client.payload(0);
    sent.push(bind('', name, [value]), execute(''));
    lines.push('2', ...numberedLines(number, value));
  }
  if (client.chance(6)) {
    client.prepared.delete(name);
    sent.push(close('S', name));
    lines.push('3');
  }
  await client.ask(Buffer.concat([...sent, sync]), ...lines, 'Z I');
}

/** Names used wrongly: Postgres says so, and the statements stay as they were. */
export async function misnamed(client: SoakClient): Promise<void> {
  const known = client.pick([...client.prepared.keys(), '']);
  const tail = [bind('', 's0', ['x']), execute(''), sync];
  if (known === '') {
    const sent = Buffer.concat([bind('', 'never_prepared', []), ...tail]);
    await client.ask(sent, 'E 26000', 'Z I');
  } else {
    const sent = Buffer.concat([parse(known, 'SELECT 1'), ...tail]);
    await client.ask(sent, 'E 42P05', 'Z I');
    const number = client.prepared.get(known) as number;
    const again = Buffer.concat([bind('', known, ['after']), execute(''), sync]);
    await client.ask(again, '2', ...numberedLines(number, 'after'), 'Z I');
  }
}

/** SQL's own word for it. */
export async function deallocate(client: SoakClient): Promise<void> {
  const name = client.pick([...client.prepared.keys(), '']);
  if (name === '') {
    await client.ask(query('DEALLOCATE never_prepared'), 'E 26000', 'Z I');
  } else {
    client.prepared.delete(name);
    await client.ask(query(`DEALLOCATE ${name}`), 'C DEALLOCATE', 'Z I');
    const sent = Buffer.concat([bind('', name, ['x']), execute(''), sync]);
    await client.ask(sent, 'E 26000', 'Z I');
  }
}

/** Several statements to one Sync, several of those in one write; an error undoes its own batch. */
export async function batches(client: SoakClient): Promise<void> {
  const sent: Buffer[] = [];
  const lines: string[] = [];
  for (let left = 1 + client.random.below(3); left > 0; left--) {
    const rows = new Map(client.rows);
    const failAt = client.chance(3) ? client.random.below(4) : -1;
    for (let index = 0; index < 4; index++) {
      if (index === failAt) {
        const { sql, line } = anyFailure(client, rows);
        sent.push(run(sql));
        // An exception and a duplicate key are found when run, the others when parsed.
        lines.push(...(line === 'E P0001' || line === 'E 23505' ? RAN : []), line);
        continue;
      }
      const change = anyChange(client, rows);
      change.apply(rows);
      sent.push(run(change.sql));
      if (failAt < 0 || index < failAt) lines.push(...RAN, change.tag);
    }
    if (failAt < 0) client.rows = rows;
    sent.push(sync);
    lines.push('Z I');
  }
  await client.ask(Buffer.concat(sent), ...lines);
}

/** Waits for answers in the middle of a batch, which holds the server. */
export async function flushed(client: SoakClient): Promise<void> {
  const number = client.random.below(TEXTS);
  const value = client.payload(0);
  await client.ask(
    Buffer.concat([parse('', numbered(number)), describe('S', ''), flush]),
    '1',
    't',
    'T echo,number',
  );
  await client.ask(
    Buffer.concat([bind('', '', [value]), describe('P', ''), flush]),
    '2',
    'T echo,number',
  );
  await client.ask(Buffer.concat([execute(''), sync]), ...numberedLines(number, value), 'Z I');
}

/** A portal read in pieces, within one batch or over the statements of a transaction. */
export async function portal(client: SoakClient): Promise<void> {
  const rows = rowLines(client.rows);
  const name = client.pick(['', 'p', 'a portal']);
  const step = 1 + client.random.below(4);
  const inTransaction = client.chance(2);
  if (inTransaction) await client.ask(query('BEGIN'), 'C BEGIN', 'Z T');
  const sent = [parse('', selectSql(client)), bind(name, '', []), describe('P', name)];
  const lines = ['1', '2', COLUMNS];
  for (let at = 0; ; at += step) {
    const piece = rows.slice(at, at + step);
    sent.push(execute(name, step));
    // A piece that is full may be the last one: the server finds out by being asked for more.
    if (piece.length < step) {
      lines.push(...piece, `C SELECT ${piece.length}`);
      break;
    }
    lines.push(...piece, 's');
    if (!inTransaction || client.chance(2)) continue;
    await client.ask(Buffer.concat([...sent.splice(0), sync]), ...lines.splice(0), 'Z T');
    // The end of a batch takes the unnamed portal along only when it ends a transaction.
  }
  sent.push(close('P', name), sync);
  await client.ask(Buffer.concat(sent), ...lines, '3', inTransaction ? 'Z T' : 'Z I');
  if (inTransaction) await client.ask(query('COMMIT'), 'C COMMIT', 'Z I');
}

/** A batch of many messages to one Sync. */
export async function longBatch(client: SoakClient): Promise<void> {
  const number = client.random.below(TEXTS);
  const sent = [parse('', numbered(number))];
  const lines = ['1'];
  for (let count = 50 + client.random.below(500); count > 0; count--) {
    const value = `${client.id}-${count}`;
    sent.push(bind('', '', [value]), execute(''));
    lines.push('2', ...numberedLines(number, value));
  }
  await client.ask(Buffer.concat([...sent, sync]), ...lines, 'Z I');
}
