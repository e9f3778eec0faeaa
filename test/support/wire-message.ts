/**
 * Messages as short lines, so that what was expected and what came can be compared and read by
 * people: `D 1|x`, `C SELECT 1`, `E 23505`, `Z I`.
 */
import { createHash } from 'node:crypto';
import { Backend } from '../../src/wire/codes.ts';
import { decodeErrorResponse } from '../../src/wire/error-response.ts';
import { decodeCommandComplete } from '../../src/wire/messages/command-complete.ts';
import { decodeDataRowTexts } from '../../src/wire/messages/data-row.ts';
import { decodeRowDescription } from '../../src/wire/messages/row-description.ts';

/** Longer texts are shown by their length and a hash. */
const SHOWN_MAX = 100;

export class Message {
  readonly code: number;
  /** Without the code and the length. */
  readonly body: Buffer;

  constructor(code: number, body: Buffer) {
    this.code = code;
    this.body = body;
  }

  toString(): string {
    const { body } = this;
    const letter = String.fromCharCode(this.code);
    switch (this.code) {
      case Backend.RowDescription:
        return `T ${decodeRowDescription(body, 0, body.length).map(({ name }) => name)}`;
      case Backend.DataRow:
        return row(...decodeDataRowTexts(body, 0, body.length));
      case Backend.CommandComplete:
        return `C ${decodeCommandComplete(body, 0, body.length)}`;
      case Backend.ReadyForQuery:
        return `Z ${body.toString('latin1')}`;
      case Backend.ErrorResponse:
      case Backend.NoticeResponse:
        return `${letter} ${decodeErrorResponse(body, 0, body.length).sqlstate}`;
      case Backend.CopyData:
        return copyLine(body.toString('utf8'));
      case Backend.FunctionCallResponse:
        return `V ${body.subarray(4).toString('hex')}`;
      default:
        return letter;
    }
  }

  /** What an error says in words; '' for other messages. */
  get explanation(): string {
    if (this.code !== Backend.ErrorResponse) return '';
    const { severity, message, detail } = decodeErrorResponse(this.body, 0, this.body.length);
    return `${severity}: ${message}${detail === null ? '' : ` (${detail})`}`;
  }
}

export function row(...values: readonly (string | null)[]): string {
  return `D ${values.map((value) => (value === null ? 'null' : shown(value))).join('|')}`;
}

export function copyLine(text: string): string {
  return `d ${shown(text)}`;
}

function shown(text: string): string {
  if (text.length <= SHOWN_MAX) return JSON.stringify(text).slice(1, -1);
  const hash = createHash('md5').update(text).digest('hex');
  return `${text.slice(0, 30)}…${text.length}:${hash}`;
}

/** What was sent, for a history: each message's letter and the beginning of its body. */
export function sentLine(bytes: Buffer): string {
  const parts: string[] = [];
  let at = 0;
  while (at + 5 <= bytes.length && parts.length < 12) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    const body = bytes.toString('latin1', at + 5, Math.min(end, at + 125));
    parts.push(`${String.fromCharCode(bytes[at] as number)} ${printable(body)}`.trim());
    if (end > bytes.length) parts.push('(cut)');
    at = end;
  }
  if (at < bytes.length) parts.push('…');
  return parts.join(' · ');
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').trim();
}
