/** Acts of transactions, with the server held between statements or not yet. */
import { sync } from '../../../src/wire/constants.ts';
import { query } from '../../conversation/say.ts';
import type { SoakClient } from '../soak-client.ts';
import { anyChange, anyFailure, COLUMNS, RAN, rowLines, run, selectSql } from './statements.ts';

const BEGINS = [
  ['BEGIN', 'C BEGIN'],
  ['begin work', 'C BEGIN'],
  ['START TRANSACTION', 'C START TRANSACTION'],
  ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'C BEGIN'],
  ['/* tagged */ BEGIN TRANSACTION READ WRITE;', 'C BEGIN'],
] as const;

/** Says it by one protocol or the other. */
export async function say(client: SoakClient, sql: string, ...lines: readonly string[]) {
  const status = lines.at(-1) as string;
  if (client.chance(2)) await client.ask(query(sql), ...lines);
  else if (lines[0] === 'E 42601' || lines[0] === 'E 42P01' || lines[0] === 'E 25P02') {
    await client.ask(Buffer.concat([run(sql), sync]), lines[0], status);
  } else await client.ask(Buffer.concat([run(sql), sync]), ...RAN, ...lines);
}

export async function begin(client: SoakClient): Promise<void> {
  const [sql, line] = client.pick(BEGINS);
  await say(client, sql, line, 'Z T');
}

/** Changes, reads, savepoints, errors; kept or undone. */
export async function transaction(client: SoakClient): Promise<void> {
  await begin(client);
  const rows = new Map(client.rows);
  for (let left = 1 + client.random.below(5); left > 0; left--) {
    switch (client.random.below(8)) {
      case 0:
        await inSavepoint(client, rows);
        break;
      case 1:
        return failed(client, rows);
      case 2:
      case 3: {
        const lines = rowLines(rows);
        const sent = query(selectSql(client));
        await client.ask(sent, COLUMNS, ...lines, `C SELECT ${lines.length}`, 'Z T');
        break;
      }
      case 4:
        await pause(client);
        break;
      default: {
        const change = anyChange(client, rows);
        await say(client, change.sql, change.tag, 'Z T');
        change.apply(rows);
      }
    }
  }
  if (client.chance(3)) {
    await say(client, client.pick(['ROLLBACK', 'ABORT', 'rollback work']), 'C ROLLBACK', 'Z I');
  } else {
    await say(client, client.pick(['COMMIT', 'END', 'commit transaction']), 'C COMMIT', 'Z I');
    client.rows = rows;
  }
}

async function inSavepoint(client: SoakClient, rows: Map<number, string>): Promise<void> {
  await client.ask(query('SAVEPOINT one'), 'C SAVEPOINT', 'Z T');
  const { sql, line } = anyFailure(client, rows);
  await client.ask(query(sql), line, 'Z E');
  await client.ask(query('ROLLBACK TO one'), 'C ROLLBACK', 'Z T');
}

/** Nothing helps but its end, and even COMMIT is a ROLLBACK. */
async function failed(client: SoakClient, rows: Map<number, string>): Promise<void> {
  const { sql, line } = anyFailure(client, rows);
  await client.ask(query(sql), line, 'Z E');
  for (let left = client.random.below(3); left > 0; left--) {
    await say(client, client.pick(['SELECT 1', 'BEGIN', selectSql(client)]), 'E 25P02', 'Z E');
  }
  await client.ask(query(client.pick(['ROLLBACK', 'COMMIT'])), 'C ROLLBACK', 'Z I');
}

/** The client thinks, and its server waits. */
async function pause(client: SoakClient): Promise<void> {
  client.note('thinks');
  await new Promise((resolve) => setTimeout(resolve, client.random.below(15)));
}

/** Transactions that never need a server. */
export async function empty(client: SoakClient): Promise<void> {
  await begin(client);
  await pause(client);
  if (client.chance(2)) await client.ask(query('BEGIN'), 'N 25001', 'C BEGIN', 'Z T');
  if (client.chance(2)) await say(client, 'ROLLBACK', 'C ROLLBACK', 'Z I');
  else await say(client, 'COMMIT', 'C COMMIT', 'Z I');
}

/** What ends nothing is no error, but it is remarked upon. */
export async function endless(client: SoakClient): Promise<void> {
  const [sql, line] = client.pick([
    ['COMMIT', 'C COMMIT'],
    ['ROLLBACK', 'C ROLLBACK'],
  ] as const);
  await client.ask(query(sql), 'N 25P01', line, 'Z I');
}

/** BEGIN, work and COMMIT in one batch, as drivers that pipeline send them. */
export async function inOneBatch(client: SoakClient): Promise<void> {
  const rows = new Map(client.rows);
  const change = anyChange(client, rows);
  change.apply(rows);
  const end = client.pick(['COMMIT', 'ROLLBACK']);
  const sent = Buffer.concat([run('BEGIN'), run(change.sql), run(end), sync]);
  await client.ask(sent, ...RAN, 'C BEGIN', ...RAN, change.tag, ...RAN, `C ${end}`, 'Z I');
  if (end === 'COMMIT') client.rows = rows;
}

/** COMMIT AND CHAIN: the next transaction has begun already. */
export async function chained(client: SoakClient): Promise<void> {
  await begin(client);
  const change = anyChange(client, client.rows);
  await client.ask(query(change.sql), change.tag, 'Z T');
  await client.ask(query('COMMIT AND CHAIN'), 'C COMMIT', 'Z T');
  change.apply(client.rows);
  const undone = anyChange(client, client.rows);
  await client.ask(query(undone.sql), undone.tag, 'Z T');
  await client.ask(query('ROLLBACK'), 'C ROLLBACK', 'Z I');
}
