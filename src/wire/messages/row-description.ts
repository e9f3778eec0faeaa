import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

export interface Column {
  readonly name: string;
  /** Object id of the table it comes from, 0 when it is not a table's column. */
  readonly tableId: number;
  /** The column's number in that table, or 0. */
  readonly columnNumber: number;
  readonly typeId: number;
  /** `pg_type.typlen`: negative for types of variable length. */
  readonly typeBytes: number;
  /** `pg_attribute.atttypmod`, -1 for none. */
  readonly typeModifier: number;
  /** 0 is text, 1 is binary. */
  readonly format: number;
}

/** An empty name's zero, two object ids, a modifier and three Int16. */
const COLUMN_BYTES_MIN = 19;

/** RowDescription (B): the columns of the rows that follow. */
export function decodeRowDescription(buffer: Buffer, start: number, end: number): Column[] {
  const cursor = new Cursor('RowDescription', buffer, start, end);
  const count = cursor.count('number of columns', COLUMN_BYTES_MIN);
  const columns = new Array<Column>(count);
  for (let i = 0; i < count; i++) {
    columns[i] = {
      name: cursor.cstring('column name'),
      tableId: cursor.uint32('table id'),
      columnNumber: cursor.int16('column number'),
      typeId: cursor.uint32('type id'),
      typeBytes: cursor.int16('type size'),
      typeModifier: cursor.int32('type modifier'),
      format: cursor.uint16('format code'),
    };
  }
  cursor.finish();
  return columns;
}

export function encodeRowDescription(writer: Writer, columns: readonly Column[]): void {
  writer.begin(Backend.RowDescription);
  writer.int16(columns.length);
  for (const column of columns) {
    writer.cstring(column.name);
    writer.int32(column.tableId);
    writer.int16(column.columnNumber);
    writer.int32(column.typeId);
    writer.int16(column.typeBytes);
    writer.int32(column.typeModifier);
    writer.int16(column.format);
  }
  writer.end();
}

/** A column of text in text format: what the console answers with. */
export function textColumn(name: string): Column {
  return {
    name,
    tableId: 0,
    columnNumber: 0,
    typeId: 25, // pg_type: text
    typeBytes: -1,
    typeModifier: -1,
    format: 0,
  };
}
