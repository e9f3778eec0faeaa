/**
 * ErrorResponse and NoticeResponse (B): a list of fields, each a letter and a text, ended by a zero
 * byte. Here they are one plain record with every field of protocol 3 present, null when absent.
 *
 * Servers' errors reach clients as the bytes they are, so this is for looking into them, and for
 * saying something of our own. Fields with letters from a later protocol are skipped, which is what
 * the documentation asks of a reader; they are lost only if the record is encoded again.
 */
import type { ProxyError } from '../errors/proxy-error.ts';
import { Backend } from './codes.ts';
import { Cursor } from './cursor.ts';
import type { Writer } from './writer.ts';

export interface ErrorFields {
  /** S: ERROR, FATAL, PANIC; WARNING, NOTICE, DEBUG, INFO, LOG; in the server's language. */
  readonly severity: string;
  /** V: the same, never translated. Servers before 9.6 do not send it: then it is `severity`. */
  readonly severityCode: string;
  /** C: five characters. */
  readonly sqlstate: string;
  /** M */
  readonly message: string;
  /** D */
  readonly detail: string | null;
  /** H */
  readonly hint: string | null;
  /** P: where in the statement's text, in characters from 1. */
  readonly position: string | null;
  /** p: the same for a text the server made itself, which is `internalQuery` (q). */
  readonly internalPosition: string | null;
  readonly internalQuery: string | null;
  /** W: the context, a line per level. */
  readonly where: string | null;
  /** s */
  readonly schema: string | null;
  /** t */
  readonly table: string | null;
  /** c */
  readonly column: string | null;
  /** d */
  readonly dataType: string | null;
  /** n: a constraint's name; in an error of ours the policy's. */
  readonly constraint: string | null;
  /** F, L, R: where in the server's sources. */
  readonly file: string | null;
  readonly line: string | null;
  readonly routine: string | null;
}

/** Letter and property, in the order servers send them (send_message_to_frontend). */
const FIELDS = [
  [0x53, 'severity'],
  [0x56, 'severityCode'],
  [0x43, 'sqlstate'],
  [0x4d, 'message'],
  [0x44, 'detail'],
  [0x48, 'hint'],
  [0x57, 'where'],
  [0x73, 'schema'],
  [0x74, 'table'],
  [0x63, 'column'],
  [0x64, 'dataType'],
  [0x6e, 'constraint'],
  [0x50, 'position'],
  [0x70, 'internalPosition'],
  [0x71, 'internalQuery'],
  [0x46, 'file'],
  [0x4c, 'line'],
  [0x52, 'routine'],
] as const satisfies readonly (readonly [number, keyof ErrorFields])[];

const FIELD_OF_LETTER: ReadonlyMap<number, keyof ErrorFields> = new Map(FIELDS);

export function decodeErrorResponse(buffer: Buffer, start: number, end: number): ErrorFields {
  return decodeFields(new Cursor('ErrorResponse', buffer, start, end));
}

export function decodeNoticeResponse(buffer: Buffer, start: number, end: number): ErrorFields {
  return decodeFields(new Cursor('NoticeResponse', buffer, start, end));
}

export function encodeErrorResponse(writer: Writer, fields: ErrorFields): void {
  encodeFields(writer, Backend.ErrorResponse, fields);
}

export function encodeNoticeResponse(writer: Writer, fields: ErrorFields): void {
  encodeFields(writer, Backend.NoticeResponse, fields);
}

/**
 * A refusal of our own, in the shape every driver knows; the policy travels as constraint name.
 * During a login every error is FATAL, whatever it would be later.
 */
export function encodeProxyError(
  writer: Writer,
  error: ProxyError,
  severity: string = error.severity,
): void {
  writer.begin(Backend.ErrorResponse);
  writer.int8(0x53);
  writer.cstring(severity);
  writer.int8(0x56);
  writer.cstring(severity);
  writer.int8(0x43);
  writer.cstring(error.sqlstate);
  writer.int8(0x4d);
  writer.cstring(error.message);
  optional(writer, 0x44, error.detail);
  optional(writer, 0x48, error.hint);
  optional(writer, 0x6e, error.policy);
  writer.int8(0);
  writer.end();
}

/**
 * An error as protocol 2 had it: a code, a text, no length and no fields. Only clients that old get
 * it, and only to read that they are too old; a current client shows it as well.
 */
export function encodeLegacyError(writer: Writer, error: ProxyError): void {
  writer.int8(Backend.ErrorResponse);
  writer.cstring(`${error.severity}:  ${error.message}\n`);
}

/** A record to start from: everything but what an error must have is null. */
export function errorFields(severity: string, sqlstate: string, message: string): ErrorFields {
  return {
    severity,
    severityCode: severity,
    sqlstate,
    message,
    detail: null,
    hint: null,
    position: null,
    internalPosition: null,
    internalQuery: null,
    where: null,
    schema: null,
    table: null,
    column: null,
    dataType: null,
    constraint: null,
    file: null,
    line: null,
    routine: null,
  };
}

/**
 * The SQLSTATE alone, without a record for the rest; empty when there is none. Works on the head
 * of a message that was too long to be shown whole.
 */
export function peekSqlstate(buffer: Buffer, start: number, end: number): string {
  let offset = start;
  while (offset < end && buffer[offset] !== 0) {
    const zero = buffer.indexOf(0, offset);
    if (zero === -1 || zero >= end) break;
    if (buffer[offset] === 0x43) return buffer.toString('latin1', offset + 1, zero);
    offset = zero + 1;
  }
  return '';
}

function decodeFields(cursor: Cursor): ErrorFields {
  const fields = errorFields('', '', '') as Record<keyof ErrorFields, string | null>;
  for (;;) {
    const letter = cursor.int8('field type');
    if (letter === 0) break;
    const property = FIELD_OF_LETTER.get(letter);
    if (property === undefined) cursor.skipCstring('unknown field');
    else fields[property] = cursor.cstring(property);
  }
  cursor.finish();
  if (fields.severityCode === '') fields.severityCode = fields.severity;
  return fields as ErrorFields;
}

function encodeFields(writer: Writer, code: number, fields: ErrorFields): void {
  writer.begin(code);
  for (const [letter, property] of FIELDS) optional(writer, letter, fields[property]);
  writer.int8(0);
  writer.end();
}

function optional(writer: Writer, letter: number, text: string | null): void {
  if (text === null) return;
  writer.int8(letter);
  writer.cstring(text);
}
