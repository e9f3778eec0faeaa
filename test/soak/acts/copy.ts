/** Acts of COPY, with ends good and bad. */
import { copyDone, sync } from '../../../src/wire/constants.ts';
import { copyData, copyFail, query } from '../../conversation/say.ts';
import { copyLine, row } from '../../support/wire-message.ts';
import type { SoakClient } from '../soak-client.ts';
import { RAN, run } from './statements.ts';

export const COPY_IN = 'COPY soak FROM STDIN';

export interface CopyRows {
  readonly rows: ReadonlyMap<number, string>;
  /** The data as lines, cut wherever it pleased. */
  readonly messages: readonly Buffer[];
}

export function copyRows(client: SoakClient): CopyRows {
  const rows = new Map<number, string>();
  let text = '';
  for (let left = 1 + client.random.below(client.chance(10) ? 60 : 6); left > 0; left--) {
    const id = client.newRow();
    const payload = client.payload(id);
    rows.set(id, payload);
    text += `${client.id}\t${client.epoch}\t${id}\t${payload}\n`;
  }
  const messages: Buffer[] = [];
  const size = 1 + client.random.below(5_000);
  for (let at = 0; at < text.length; at += size) messages.push(copyData(text.slice(at, at + size)));
  return { rows, messages };
}

export async function copyIn(client: SoakClient): Promise<void> {
  const { rows, messages } = copyRows(client);
  const data = Buffer.concat([...messages, copyDone]);
  const tag = `C COPY ${rows.size}`;
  const extended = client.chance(2);
  const open = extended ? run(COPY_IN) : query(COPY_IN);
  const before = extended ? RAN : [];
  const after = extended ? sync : Buffer.alloc(0);
  if (client.chance(3)) {
    // Without waiting to be asked for it.
    await client.ask(Buffer.concat([open, data, after]), ...before, 'G', tag, 'Z I');
  } else {
    // The server answers the extended form only when told to, but sends CopyInResponse at once.
    await client.ask(open, ...before, 'G');
    for (const message of messages) client.send(message);
    await client.ask(Buffer.concat([copyDone, after]), tag, 'Z I');
  }
  for (const [id, payload] of rows) client.rows.set(id, payload);
  await thin(client);
}

/** Takes rows away again, so that a table that is only ever added to stays small. */
async function thin(client: SoakClient): Promise<void> {
  if (client.rows.size < 40) return;
  const count = client.rows.size;
  await client.ask(query(`DELETE FROM soak WHERE ${client.mine}`), `C DELETE ${count}`, 'Z I');
  client.rows.clear();
}

/** The client gives up. */
export async function copyFailed(client: SoakClient): Promise<void> {
  const { messages } = copyRows(client);
  await client.ask(query(COPY_IN), 'G');
  const sent = Buffer.concat([...messages, copyFail('changed my mind')]);
  await client.ask(sent, 'E 57014', 'Z I');
}

/** The server gives up, while the client goes on sending what nobody wants any more. */
export async function copyRefused(client: SoakClient): Promise<void> {
  const { messages } = copyRows(client);
  const bad = copyData('this is no row\n');
  const inTransaction = client.chance(3);
  const [before, after] = inTransaction ? ['Z T', 'Z E'] : ['Z I', 'Z I'];
  if (inTransaction) await client.ask(query('BEGIN'), 'C BEGIN', before);
  await client.ask(query(COPY_IN), 'G');
  const rest = Buffer.concat([bad, ...messages, copyDone]);
  await client.ask(Buffer.concat([...messages, rest]), 'E 22P02', after);
  if (client.chance(2)) client.send(Buffer.concat([...messages, copyFail('late')]));
  if (inTransaction) await client.ask(query('ROLLBACK'), 'C ROLLBACK', 'Z I');
  const value = client.payload(0);
  await client.ask(query(`SELECT '${value}' AS v`), 'T v', row(value), 'C SELECT 1', 'Z I');
}

export async function copyOut(client: SoakClient): Promise<void> {
  const lines = [...client.rows]
    .sort(([a], [b]) => a - b)
    .map(([id, payload]) => copyLine(`${id}\t${payload}\n`));
  const sql = `COPY (SELECT id, payload FROM soak WHERE ${client.mine} ORDER BY id) TO STDOUT`;
  const tag = `C COPY ${lines.length}`;
  if (client.chance(2)) await client.ask(query(sql), 'H', ...lines, 'c', tag, 'Z I');
  else await client.ask(Buffer.concat([run(sql), sync]), ...RAN, 'H', ...lines, 'c', tag, 'Z I');
}

/** Megabytes, in one go. */
export async function copyOutLarge(client: SoakClient): Promise<void> {
  const text = client.payload(0, 200);
  const count = 1_000 + client.random.below(4_000);
  const sql = `COPY (SELECT '${text}' FROM generate_series(1, ${count})) TO STDOUT`;
  const line = copyLine(`${text}\n`);
  const lines = new Array<string>(count).fill(line);
  await client.ask(query(sql), 'H', ...lines, 'c', `C COPY ${count}`, 'Z I');
}
