/**
 * The log: one JSON object per line on standard output, written by pino.
 *
 * - A message is a constant in lower case ("listening", "server lost"); what varies goes into
 *   attributes in snake_case, so that a message can be searched for and counted.
 * - Secrets are censored by attribute name, and passwords in URLs wherever they stand in a string.
 *   This is the second line of defence: code does not hand secrets to the log in the first place.
 * - Logging never throws and never waits. Lines go to a buffer that one write at a time empties;
 *   when the reader is stuck and the buffer is full, new lines are dropped and counted. A log that
 *   can stop the traffic it describes is worse than a log with a gap.
 *
 * What is still in the buffer is lost when the process exits without `close`.
 */
import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino';
import type { Clock } from '../util/clock.ts';
import { prettyLine } from './pretty.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
export type LogAttributes = Readonly<Record<string, unknown>>;

/** What the rest of the program knows of logging; easy to fake. */
export interface Log {
  /** For attributes that cost something to put together. */
  enabled(level: LogLevel): boolean;
  trace(message: string, attributes?: LogAttributes): void;
  debug(message: string, attributes?: LogAttributes): void;
  info(message: string, attributes?: LogAttributes): void;
  warn(message: string, attributes?: LogAttributes): void;
  error(message: string, attributes?: LogAttributes): void;
  fatal(message: string, attributes?: LogAttributes): void;
  /** A log whose lines all carry `attributes`. */
  child(attributes: LogAttributes): Log;
}

export interface LogOptions {
  readonly level: LogLevel | 'silent';
  readonly format: 'json' | 'pretty';
  readonly instance: string | null;
  readonly clock: Clock;
  /** 1 is standard output. */
  readonly fd: number;
}

/** Enough for about 20,000 lines: seconds of a reader's pause, and nothing to a process. */
const BUFFER_BYTES_MAX = 4 * 1024 * 1024;
/** How long `close` waits for a reader that does not read. */
const CLOSE_DEADLINE_MS = 1_000;

/** Attribute names whose values are never written, on the top level and one below. */
const secretNames = ['password', 'passwords', 'secret', 'token', 'authorization', 'key', 'salt'];

export class LogOutput {
  readonly log: Log;
  /** Lines that were thrown away because the buffer was full or the output is gone. */
  dropped = 0;
  readonly #clock: Clock;
  readonly #stream: ReturnType<typeof destination>;
  readonly #pino: Logger;
  #pretty: boolean;

  constructor(options: LogOptions) {
    this.#clock = options.clock;
    // A minimum of one byte writes at once like zero does, but makes `flush` wait for the writing.
    this.#stream = destination({
      dest: options.fd,
      sync: false,
      minLength: 1,
      maxLength: BUFFER_BYTES_MAX,
    });
    const countDropped = () => {
      this.dropped++;
    };
    this.#stream.on('drop', countDropped);
    // A closed pipe must not end the process; without a listener it would.
    this.#stream.on('error', countDropped);
    this.#pretty = options.format === 'pretty';
    const sink: DestinationStream = {
      write: (line) => void this.#stream.write(this.#pretty ? prettyLine(line) : line),
    };
    this.#pino = createPino(options, sink);
    this.log = new PinoLog(this.#pino, countDropped);
  }

  /** A reload has changed how the log is written. Children made before keep their level. */
  configure(options: Pick<LogOptions, 'level' | 'format'>): void {
    this.#pino.level = options.level;
    this.#pretty = options.format === 'pretty';
  }

  /** Resolves when everything is written, or after a second at the latest. Never rejects. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = this.#clock.after(CLOSE_DEADLINE_MS, resolve);
      this.#stream.flush(() => {
        deadline.cancel();
        resolve();
      });
    });
  }
}

function createPino(options: LogOptions, sink: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      base: options.instance === null ? null : { instance: options.instance },
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"time":"${new Date(options.clock.wallMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError },
      redact: {
        paths: secretNames.flatMap((name) => [name, `*.${name}`]),
        censor: '[redacted]',
      },
      hooks: { streamWrite: censorUrls },
    },
    sink,
  );
}

/** Our own errors have a code the operator can look up; others have their type. */
function serializeError(error: unknown): unknown {
  return error instanceof Error ? stdSerializers.err(error) : error;
}

/** `postgres://user:secret@host` may be in any message of any library. */
function censorUrls(line: string): string {
  if (!line.includes('://')) return line;
  return line.replaceAll(/(:\/\/[^\s:/?#@"]*):[^\s/?#@"]*@/g, '$1:[redacted]@');
}

class PinoLog implements Log {
  readonly #pino: Logger;
  readonly #failed: () => void;

  constructor(logger: Logger, failed: () => void) {
    this.#pino = logger;
    this.#failed = failed;
  }

  enabled(level: LogLevel): boolean {
    return this.#pino.isLevelEnabled(level);
  }

  trace(message: string, attributes?: LogAttributes): void {
    this.#write('trace', message, attributes);
  }

  debug(message: string, attributes?: LogAttributes): void {
    this.#write('debug', message, attributes);
  }

  info(message: string, attributes?: LogAttributes): void {
    this.#write('info', message, attributes);
  }

  warn(message: string, attributes?: LogAttributes): void {
    this.#write('warn', message, attributes);
  }

  error(message: string, attributes?: LogAttributes): void {
    this.#write('error', message, attributes);
  }

  fatal(message: string, attributes?: LogAttributes): void {
    this.#write('fatal', message, attributes);
  }

  child(attributes: LogAttributes): Log {
    return new PinoLog(this.#pino.child(attributes), this.#failed);
  }

  #write(level: LogLevel, message: string, attributes: LogAttributes = {}): void {
    try {
      this.#pino[level](attributes, message);
    } catch {
      // An attribute whose getter or toJSON throws costs its line, not its session.
      this.#failed();
    }
  }
}
