/** A log that remembers. Children write into the same list, their attributes merged in. */
import type { Log, LogAttributes, LogLevel } from '../../src/telemetry/logger.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly attributes: LogAttributes;
}

export class FakeLog implements Log {
  readonly lines: LogLine[];
  readonly #attributes: LogAttributes;

  constructor(lines: LogLine[] = [], attributes: LogAttributes = {}) {
    this.lines = lines;
    this.#attributes = attributes;
  }

  /** Messages of one level, or of all. */
  messages(level?: LogLevel): string[] {
    return this.lines
      .filter((line) => level === undefined || line.level === level)
      .map((line) => line.message);
  }

  enabled(): boolean {
    return true;
  }

  trace(message: string, attributes?: LogAttributes): void {
    this.#add('trace', message, attributes);
  }

  debug(message: string, attributes?: LogAttributes): void {
    this.#add('debug', message, attributes);
  }

  info(message: string, attributes?: LogAttributes): void {
    this.#add('info', message, attributes);
  }

  warn(message: string, attributes?: LogAttributes): void {
    this.#add('warn', message, attributes);
  }

  error(message: string, attributes?: LogAttributes): void {
    this.#add('error', message, attributes);
  }

  fatal(message: string, attributes?: LogAttributes): void {
    this.#add('fatal', message, attributes);
  }

  child(attributes: LogAttributes): Log {
    return new FakeLog(this.lines, { ...this.#attributes, ...attributes });
  }

  #add(level: LogLevel, message: string, attributes: LogAttributes = {}): void {
    this.lines.push({ level, message, attributes: { ...this.#attributes, ...attributes } });
  }
}
