/**
 * Asks a server about users, for `auth.query`.
 *
 * The question runs on a pool of its own, logged in as the account of the configuration. Nothing of
 * any client's startup packet or session is ever applied to these connections, and their
 * search_path is pg_catalog from the first packet on: whoever can choose it can choose whose
 * functions and operators the query calls (CVE-2025-12819). The name travels as a parameter and is
 * never part of the text. What comes back is only believed if it is about the name that was asked.
 */
import { accountCredentials, type ServerCredentials } from '../backend/pool-spec.ts';
import type { Pool } from '../backend/pool.ts';
import type { Pools } from '../backend/pools.ts';
import { QuietOwner } from '../backend/quiet-owner.ts';
import type { ReplyOwner } from '../backend/reply-owner.ts';
import { Action, Expect, type ReplyEntry } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { ErrorFacts } from '../backend/server-messages.ts';
import { Waiter } from '../backend/waiter.ts';
import type { FoundUser } from '../auth/user-lookup.ts';
import type { AuthQueryConfig, DatabaseConfig, ServiceConfig } from '../config/snapshot.ts';
import type { ProxyError } from '../errors/proxy-error.ts';
import { assert } from '../util/assert.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { Backend, TransactionStatus } from '../wire/codes.ts';
import { sync } from '../wire/constants.ts';
import { HEADER_BYTES } from '../wire/limits.ts';
import { encodeBind } from '../wire/messages/bind.ts';
import { decodeDataRowTexts } from '../wire/messages/data-row.ts';
import { encodeExecute } from '../wire/messages/execute.ts';
import { encodeParse } from '../wire/messages/parse.ts';
import { Writer } from '../wire/writer.ts';

/** No service can be called this, so that its metrics are nobody else's. */
export const AUTH_QUERY_SERVICE = '(auth.query)';

/** Long enough for a server that is busy, short enough to leave a login time for another try. */
const ANSWER_WITHIN_MS = 5_000;
/** A row is a name, a hash and a date; a query that says much more is not this one. */
const REPLY_BYTES_MAX = 16_384;

const PARAMETERS: ReadonlyMap<string, string> = new Map([
  ['search_path', 'pg_catalog'],
  ['application_name', 'sluice auth.query'],
  // So that VALID UNTIL comes in one spelling, whatever the role or database is set to.
  ['DateStyle', 'ISO, YMD'],
  ['TimeZone', 'UTC'],
  ['client_encoding', 'UTF8'],
]);

export class AuthQuery {
  readonly #pool: () => Pool;
  readonly #sql: string;
  readonly #clock: Clock;

  constructor(config: AuthQueryConfig, database: DatabaseConfig, pools: Pools, clock: Clock) {
    const target = database.targets[0];
    assert(target !== undefined, 'a database without targets');
    const service = authQueryService(config);
    const login = authQueryLogin(config);
    // Looked up for each question: a reload puts pools away that are empty.
    this.#pool = () => pools.get(service, database.name, target, login);
    this.#sql = config.sql;
    this.#clock = clock;
  }

  /** Rejects when there is no answer, or one that cannot be understood. */
  ask(name: string): Promise<FoundUser | null> {
    return new Promise((resolve, reject) => {
      const question = new Question(this.#sql, name, this.#clock, (result) => {
        if (result instanceof Error) reject(result);
        else resolve(result);
      });
      const got = this.#pool().acquire(question);
      if (got === null) return;
      if ('sqlstate' in got) question.refused(got);
      else question.granted(got);
    });
  }
}

class Question extends Waiter {
  readonly #sql: string;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #done: (result: FoundUser | null | Error) => void;
  readonly #answer: Answer;
  #timer: Timer | null = null;

  constructor(
    sql: string,
    name: string,
    clock: Clock,
    done: (result: FoundUser | null | Error) => void,
  ) {
    super();
    this.#sql = sql;
    this.#name = name;
    this.#clock = clock;
    this.#done = done;
    this.#answer = new Answer((server, result) => this.#answered(server, result));
  }

  get replyOwner(): ReplyOwner {
    return this.#answer;
  }

  granted(server: ServerConnection): void {
    this.#timer = this.#clock.after(ANSWER_WITHIN_MS, () =>
      server.destroy('auth.query was not answered in time'),
    );
    const writer = new Writer(1024);
    encodeParse(writer, '', this.#sql, []);
    encodeBind(writer, {
      portal: '',
      statement: '',
      formats: [],
      values: [Buffer.from(this.#name, 'utf8')],
      resultFormats: [],
    });
    encodeExecute(writer, '', 2);
    writer.bytes(sync);
    for (const expect of [Expect.Parse, Expect.Bind, Expect.Execute, Expect.Sync]) {
      server.replies.expect(expect, Action.Forward, this.#answer);
    }
    server.unnamed = null;
    server.sendAll(writer.take());
  }

  refused(error: ProxyError): void {
    this.#done(error);
  }

  #answered(server: ServerConnection | null, result: readonly Row[] | Error): void {
    this.#timer?.cancel();
    if (server !== null) {
      if (server.status === TransactionStatus.Idle) server.pool.release(server);
      else server.destroy('auth.query left a transaction open');
    }
    if (result instanceof Error) this.#done(result);
    else this.#done(this.#read(result));
  }

  #read(rows: readonly Row[]): FoundUser | null | Error {
    const [row, another] = rows;
    if (row === undefined) return null;
    if (another !== undefined) return new Error('auth.query answered with more than one row');
    const [name, password = null, validUntil = null] = row;
    if (row.length < 2) return new Error('auth.query needs two columns: name and password');
    if (name !== this.#name) return null;
    const validUntilMs = validUntil === null ? null : parseValidUntil(validUntil);
    if (Number.isNaN(validUntilMs)) return new Error('auth.query: VALID UNTIL cannot be read');
    return { password, validUntilMs };
  }
}

type Row = readonly (string | null)[];

class Answer extends QuietOwner {
  readonly #answered: (server: ServerConnection | null, result: readonly Row[] | Error) => void;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #error: Error | null = null;
  #over = false;

  constructor(answered: (server: ServerConnection | null, result: readonly Row[] | Error) => void) {
    super();
    this.#answered = answered;
  }

  override deliver(chunk: Buffer, start: number, end: number): boolean {
    this.#length += end - start;
    if (this.#length > REPLY_BYTES_MAX) this.#error ??= new Error('auth.query answered too much');
    // Copied: the chunk may be the buffer the socket reads into next.
    else this.#chunks.push(Buffer.from(chunk.subarray(start, end)));
    return true;
  }

  override errored(_server: ServerConnection, _entry: ReplyEntry, error: ErrorFacts): void {
    this.#error ??= new Error(`auth.query failed: ${error.sqlstate}: ${error.message}`);
  }

  override ready(server: ServerConnection): void {
    this.#over = true;
    this.#answered(server, this.#error ?? rowsOf(Buffer.concat(this.#chunks)));
  }

  override lost(_server: ServerConnection, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#answered(null, new Error(`auth.query lost its server: ${reason}`));
  }
}

/** The rows among the messages; `deliver` hands out whole replies, so none is cut short. */
function rowsOf(bytes: Buffer): readonly Row[] | Error {
  const rows: Row[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    if (bytes[at] === Backend.DataRow) {
      try {
        rows.push(decodeDataRowTexts(bytes, at + HEADER_BYTES, end));
      } catch (error) {
        return error as Error;
      }
    }
    at = end;
  }
  return rows;
}

const TIMESTAMP = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)?([+-]\d\d(?::\d\d)?)?$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
/** The last year a date of JavaScript's has. */
const YEAR_MAX = 275_759;

/** A timestamp with time zone as text; NaN when it is none. Without a zone it is UTC. */
export function parseValidUntil(text: string): number | null {
  if (text === 'infinity') return null;
  if (text === '-infinity' || text.endsWith(' BC')) return 0;
  if (DATE.test(text)) return Date.parse(`${text}T00:00:00Z`);
  const match = TIMESTAMP.exec(text);
  if (match === null) return Number.NaN;
  const [, year = '', month, day, hour, minute, second, zone = '+00'] = match;
  if (Number(year) > YEAR_MAX) return null;
  const fullYear = year.length === 4 ? year : `+${year.padStart(6, '0')}`;
  const fullZone = zone.includes(':') ? zone : `${zone}:00`;
  return Date.parse(`${fullYear}-${month}-${day}T${hour}:${minute}:${second}${fullZone}`);
}

/** How the pool's servers are logged in to. */
export function authQueryLogin({ login }: AuthQueryConfig): ServerCredentials {
  return accountCredentials(login, PARAMETERS);
}

/** The pool's settings: small, quick to give up, and warm once it was needed. */
export function authQueryService({ size }: AuthQueryConfig): ServiceConfig {
  return {
    name: AUTH_QUERY_SERVICE,
    index: -1,
    match: [],
    pool: {
      mode: 'transaction',
      size,
      min: 0,
      maxClients: 0,
      maxQueue: 10_000,
      queueTimeoutMs: ANSWER_WITHIN_MS,
      lifetimeMs: 3_600_000,
      idleTimeoutMs: 600_000,
      checkAfterMs: 30_000,
      preparedStatements: 0,
    },
    timeouts: {
      connectMs: ANSWER_WITHIN_MS,
      transactionMs: 0,
      idleInTransactionMs: 0,
      clientIdleMs: 0,
    },
    pin: 'refuse',
    cancelOrphans: true,
  };
}
