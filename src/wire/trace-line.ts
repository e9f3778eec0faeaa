/** The fields of one trace line: each method reads one from the body and appends its text. */
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import { Cursor } from './cursor.ts';
import { showText } from './text.ts';

export interface TraceOptions {
  /** Hides values, COPY data, statements and the texts of errors. */
  readonly redact: boolean;
  /** Hides what differs from run to run, for golden texts. */
  readonly regress: boolean;
}

/** Error fields that depend on the server's version: F, L, R. */
const SOURCE_FIELDS = 'FLR';
/** Error fields that say what kind of error it is, and no more: S, V, C. */
const KIND_FIELDS = 'SVC';

export class TraceLine {
  text: string;
  readonly cursor: Cursor;
  readonly options: TraceOptions;

  constructor(name: string, buffer: Buffer, start: number, end: number, options: TraceOptions) {
    this.text = '';
    this.cursor = new Cursor(name, buffer, start, end);
    this.options = options;
  }

  /** Runs `append` and returns the line, with what was wrong with the body at its end. */
  write(append: () => void): string {
    try {
      append();
      if (this.cursor.left > 0) this.text += ` (${this.cursor.left} bytes left over)`;
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.text += ` (${error.message})`;
    }
    return this.text;
  }

  /** A message's name and its fields; PQtrace puts a tab between them. */
  fields(name: string, steps: readonly ((line: TraceLine) => void)[]): void {
    this.text += steps.length === 0 ? name : `${name}\t`;
    for (const step of steps) step(this);
  }

  byte(): void {
    const byte = this.cursor.int8('byte');
    this.text += ` ${printable(byte) ? String.fromCharCode(byte) : hex(byte)}`;
  }

  int16(): void {
    this.text += ` ${this.cursor.uint16('Int16')}`;
  }

  int32(): void {
    this.text += ` ${this.cursor.int32('Int32')}`;
  }

  count(): number {
    const count = this.cursor.uint16('count');
    this.text += ` ${count}`;
    return count;
  }

  /** An object or process id: one run's says nothing about the next one's. */
  runNumber(): void {
    const id = this.cursor.int32('id');
    this.text += this.options.regress ? ' NNNN' : ` ${id}`;
  }

  /** Four bytes in protocol 3.0, up to 256 in 3.2. */
  cancelKey(): void {
    this.skipRest();
    this.text += ' NNNN';
  }

  string(): void {
    this.text += ` "${escapeText(this.cursor.cstring('string'))}"`;
  }

  strings(): void {
    while (this.cursor.left > 0) this.string();
  }

  userText(): void {
    if (this.options.redact) this.secretText();
    else this.string();
  }

  secretText(): void {
    this.cursor.skipCstring('string');
    this.text += ' "SSSS"';
  }

  /** All that is left, as the data it is. */
  userData(): void {
    this.#data(this.cursor.view(this.cursor.left, 'data'), this.options.redact);
  }

  secretData(): void {
    this.#data(this.cursor.view(this.cursor.left, 'data'), true);
  }

  value(): void {
    this.#value(this.options.redact);
  }

  secretValue(): void {
    this.#value(true);
  }

  errorFields(): void {
    for (;;) {
      const letter = this.cursor.int8('field type');
      if (letter === 0) break;
      const name = printable(letter) ? String.fromCharCode(letter) : hex(letter);
      this.text += ` ${name}`;
      const differs = this.options.regress && SOURCE_FIELDS.includes(name);
      const sensitive = this.options.redact && !KIND_FIELDS.includes(name);
      if (differs || sensitive) this.secretText();
      else this.string();
    }
    this.text += ` ${hex(0)}`;
  }

  skipRest(): void {
    this.cursor.view(this.cursor.left, 'rest');
  }

  /** A length, and the bytes unless it is that of null. */
  #value(hidden: boolean): void {
    const value = this.cursor.value('value');
    this.text += ` ${value === null ? -1 : value.length}`;
    if (value !== null) this.#data(value, hidden);
  }

  #data(bytes: Uint8Array, hidden: boolean): void {
    this.text += hidden ? " 'BBBB'" : ` '${escapeBytes(bytes)}'`;
  }
}

function printable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** Text keeps its letters, whatever the alphabet; what would break the line is escaped. */
function escapeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point.
  return showText(text).replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, (character) =>
    hex(character.charCodeAt(0)),
  );
}

function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += printable(byte) ? String.fromCharCode(byte) : hex(byte);
  return text;
}
