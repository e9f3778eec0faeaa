/** The soak's table and the statements about it that several acts use. */
import { bind, execute, parse } from '../../conversation/say.ts';
import { row } from '../../support/wire-message.ts';
import type { Rows, SoakClient } from '../soak-client.ts';

export const SCHEMA = `
  CREATE TABLE soak (
    client int, epoch int, id int, payload text NOT NULL,
    PRIMARY KEY (client, epoch, id)
  );
  GRANT ALL ON soak TO PUBLIC;
`;

export const COLUMNS = 'T id,payload';

/** One in four rows of a client is deleted once it has this many. */
export const ROWS_PLENTY = 25;

export function insertSql(client: SoakClient, id: number, payload: string): string {
  return `INSERT INTO soak VALUES (${client.id}, ${client.epoch}, ${id}, '${payload}')`;
}

export function updateSql(client: SoakClient, id: number, payload: string): string {
  return `UPDATE soak SET payload = '${payload}' WHERE ${client.mine} AND id = ${id}`;
}

export function deleteSql(client: SoakClient, id: number): string {
  return `DELETE FROM soak WHERE ${client.mine} AND id = ${id}`;
}

export function selectSql(client: SoakClient): string {
  return `SELECT id, payload FROM soak WHERE ${client.mine} ORDER BY id`;
}

export function selectOneSql(client: SoakClient, id: number): string {
  return `SELECT id, payload FROM soak WHERE ${client.mine} AND id = ${id}`;
}

/** What `selectSql` answers between its RowDescription and its CommandComplete. */
export function rowLines(rows: Rows): string[] {
  return [...rows].sort(([a], [b]) => a - b).map(([id, payload]) => row(String(id), payload));
}

/** Parse, Bind, Execute of an unnamed statement. */
export function run(text: string, ...values: readonly (string | null)[]): Buffer {
  return Buffer.concat([parse('', text), bind('', '', values), execute('')]);
}

/** What `run` answers before the statement's own result. */
export const RAN = ['1', '2'] as const;

/** A change of one row, as SQL, with what it answers and what it does. */
export interface Change {
  readonly sql: string;
  readonly tag: string;
  apply(rows: Map<number, string>): void;
}

export function anyChange(client: SoakClient, rows: Rows): Change {
  const old = client.anyRow(rows);
  const kind = client.random.below(rows.size > ROWS_PLENTY ? 4 : 3);
  if (old === null || kind === 0) {
    const id = client.newRow();
    const payload = client.payload(id);
    return {
      sql: insertSql(client, id, payload),
      tag: 'C INSERT 0 1',
      apply: (into) => into.set(id, payload),
    };
  }
  if (kind === 3) {
    return {
      sql: deleteSql(client, old),
      tag: 'C DELETE 1',
      apply: (into) => into.delete(old),
    };
  }
  const payload = client.payload(old);
  return {
    sql: updateSql(client, old, payload),
    tag: 'C UPDATE 1',
    apply: (into) => into.set(old, payload),
  };
}

/** A statement that fails, and how. */
export function anyFailure(client: SoakClient, rows: Rows): { sql: string; line: string } {
  const old = client.anyRow(rows);
  switch (client.random.below(old === null ? 3 : 4)) {
    case 0:
      return { sql: "DO $$ BEGIN RAISE 'no'; END $$", line: 'E P0001' };
    case 1:
      return { sql: 'SELEC 1', line: 'E 42601' };
    case 2:
      return { sql: 'SELECT * FROM there_is_no_such_table', line: 'E 42P01' };
    default:
      return { sql: insertSql(client, old as number, 'twice'), line: 'E 23505' };
  }
}
