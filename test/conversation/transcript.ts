/**
 * What was said, in the order it was complete, as golden text: one line per message in the format
 * of `wire/trace.ts`, each with the name of the connection it belongs to.
 *
 *     client F 13 Query "select 1"
 *     server F 13 Query "select 1"
 *     server B 13 CommandComplete "SELECT 1"
 *
 * Lines are compared as text, so a failing test shows which message differs, came twice or is
 * missing. Tabs are written as spaces, because golden texts live in indented source.
 */
import type { Direction } from '../../src/wire/codes.ts';
import { Tracer } from '../../src/wire/trace.ts';

export class Transcript {
  readonly lines: string[] = [];
  readonly #tracers = new Map<string, Tracer>();

  /** A whole message, header included. */
  message(connection: string, direction: Direction, bytes: Buffer): void {
    this.#line(connection, this.#tracer(connection).message(direction, bytes, 0, bytes.length));
  }

  /** A whole packet without a code byte. */
  firstPacket(connection: string, bytes: Buffer): void {
    this.#line(connection, this.#tracer(connection).firstPacket(bytes, 0, bytes.length));
  }

  /** The one-byte answer to SSLRequest or GSSENCRequest. */
  charResponse(connection: string, byte: number): void {
    this.#line(connection, this.#tracer(connection).charResponse('SSLResponse', byte));
  }

  /** Something a test wants to have on record: an end, a pause, a step of its own. */
  note(connection: string, text: string): void {
    this.lines.push(`${connection} ${text}`);
  }

  /** The lines of one connection, or of all. */
  text(connection: string | null = null): string {
    if (connection === null) return this.lines.join('\n');
    return this.lines.filter((line) => line.startsWith(`${connection} `)).join('\n');
  }

  /** Forgets what was said so far: the login, for a test of what comes after. */
  clear(): void {
    this.lines.length = 0;
  }

  #line(connection: string, trace: string): void {
    this.lines.push(`${connection} ${trace.replaceAll(/\t ?/g, ' ').trimEnd()}`);
  }

  #tracer(connection: string): Tracer {
    let tracer = this.#tracers.get(connection);
    if (tracer === undefined) {
      tracer = new Tracer({ redact: false, regress: true });
      this.#tracers.set(connection, tracer);
    }
    return tracer;
  }
}

/** A golden text as it is written in a test: indented, with empty lines around it. */
export function golden(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
