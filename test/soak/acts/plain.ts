/** Acts of one statement or one string of them, by the simple protocol. */
import { query } from '../../conversation/say.ts';
import { row } from '../../support/wire-message.ts';
import type { SoakClient } from '../soak-client.ts';
import {
  anyChange,
  anyFailure,
  COLUMNS,
  insertSql,
  rowLines,
  selectOneSql,
  selectSql,
} from './statements.ts';

export async function write(client: SoakClient): Promise<void> {
  const change = anyChange(client, client.rows);
  await client.ask(query(change.sql), change.tag, 'Z I');
  change.apply(client.rows);
}

export async function readOne(client: SoakClient): Promise<void> {
  const id = client.anyRow() ?? 0;
  const payload = client.rows.get(id);
  const lines = payload === undefined ? [] : [row(String(id), payload)];
  const sql = selectOneSql(client, id);
  await client.ask(query(sql), COLUMNS, ...lines, `C SELECT ${lines.length}`, 'Z I');
}

export async function readAll(client: SoakClient): Promise<void> {
  const lines = rowLines(client.rows);
  const sql = selectSql(client);
  await client.ask(query(sql), COLUMNS, ...lines, `C SELECT ${lines.length}`, 'Z I');
}

export async function fail(client: SoakClient): Promise<void> {
  const { sql, line } = anyFailure(client, client.rows);
  await client.ask(query(sql), line, 'Z I');
}

/** Several statements in one string are one transaction, unless they say otherwise. */
export async function manyInOne(client: SoakClient): Promise<void> {
  const rows = new Map(client.rows);
  const sqls: string[] = [];
  const lines: string[] = [];
  for (let left = 1 + client.random.below(4); left > 0; left--) {
    const change = anyChange(client, rows);
    change.apply(rows);
    sqls.push(change.sql);
    lines.push(change.tag);
  }
  const failure = client.chance(3) ? anyFailure(client, rows) : null;
  if (failure !== null && failure.line !== 'E 42601') {
    sqls.push(failure.sql, 'SELECT 1');
    lines.push(failure.line);
  } else {
    const found = rowLines(rows);
    sqls.push(selectSql(client));
    lines.push(COLUMNS, ...found, `C SELECT ${found.length}`);
    client.rows = rows;
  }
  await client.ask(query(sqls.join(client.pick([';', '; ', ';\n/* ; */ ']))), ...lines, 'Z I');
}

/** A transaction that begins and ends within one string, with more before and behind it. */
export async function transactionInOne(client: SoakClient): Promise<void> {
  const id = client.newRow();
  const payload = client.payload(id);
  const insert = insertSql(client, id, payload);
  if (client.chance(2)) {
    await client.ask(
      query(`BEGIN; ${insert}; COMMIT; SELECT 7 AS seven`),
      'C BEGIN',
      'C INSERT 0 1',
      'C COMMIT',
      'T seven',
      row('7'),
      'C SELECT 1',
      'Z I',
    );
    client.rows.set(id, payload);
  } else {
    await client.ask(
      query(`BEGIN; ${insert}; ROLLBACK`),
      'C BEGIN',
      'C INSERT 0 1',
      'C ROLLBACK',
      'Z I',
    );
  }
}

export async function nothing(client: SoakClient): Promise<void> {
  await client.ask(query(client.pick(['', ';', ' -- nothing', '/* ; */ ;'])), 'I', 'Z I');
}

export async function notice(client: SoakClient): Promise<void> {
  const sql = `DO $$ BEGIN RAISE NOTICE 'for ${client.id}'; RAISE WARNING 'and'; END $$`;
  await client.ask(query(sql), 'N 00000', 'N 01000', 'C DO', 'Z I');
}

/** Queries that do not wait for each other. */
export async function pipelined(client: SoakClient): Promise<void> {
  const rows = new Map(client.rows);
  const sent: Buffer[] = [];
  const lines: string[] = [];
  for (let left = 2 + client.random.below(4); left > 0; left--) {
    if (client.chance(4)) {
      const { sql, line } = anyFailure(client, rows);
      sent.push(query(sql));
      lines.push(line, 'Z I');
      continue;
    }
    const change = anyChange(client, rows);
    change.apply(rows);
    sent.push(query(change.sql));
    lines.push(change.tag, 'Z I');
  }
  client.rows = rows;
  await client.ask(Buffer.concat(sent), ...lines);
}

/** A result of a few hundred kilobytes, now and then read slowly. */
export async function large(client: SoakClient): Promise<void> {
  const text = client.payload(0, 200);
  const count = 100 + client.random.below(200);
  const times = 1 + client.random.below(20);
  const slow = client.chance(3);
  client.send(query(`SELECT repeat('${text}', ${times}) AS r FROM generate_series(1, ${count})`));
  if (slow) {
    client.wire.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, client.random.below(300)));
    client.wire.socket.resume();
  }
  const line = row(text.repeat(times));
  await client.hear('T r', ...new Array<string>(count).fill(line), `C SELECT ${count}`, 'Z I');
}
