/**
 * One client of the soak: its connection, what it knows to be in its rows, and a memory of what it
 * said and heard, which is printed when an answer is wrong.
 *
 * Every connection writes rows of its own epoch. What a client knows of an epoch is a set of
 * outcomes: one, unless it left at a moment at which nobody can know whether a statement still
 * counted. Nobody else writes these rows, so whatever else is found in them is somebody's error.
 */
import { type Message, sentLine } from '../support/wire-message.ts';
import { WireClient, type WireLogin } from '../support/wire-client.ts';
import type { Random } from '../support/random.ts';

export type Rows = ReadonlyMap<number, string>;

/** What an epoch's rows may be once everything has come to rest. */
export interface PastEpoch {
  readonly client: number;
  readonly epoch: number;
  readonly how: string;
  readonly outcomes: readonly Rows[];
}

/** An answer that is not what it must be. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

const MEMORY_LINES = 60;

export class SoakClient {
  readonly id: number;
  readonly random: Random;
  readonly past: PastEpoch[] = [];
  readonly #login: WireLogin;
  readonly #sinceMs: number;
  readonly #memory: string[] = [];
  wire!: WireClient;
  epoch = 0;
  /** Committed rows of this epoch. */
  rows = new Map<number, string>();
  /** Statements this connection has prepared, by name; the value is the text's number. */
  prepared = new Map<string, number>();
  /** Settings it has changed and expects to find. */
  settings = new Map<string, string>();
  /** When it began to wait for an answer; 0 while it does not. */
  waitingSinceMs = 0;
  act = '';
  answers = 0;
  #nextRow = 1;

  constructor(id: number, login: WireLogin, random: Random, sinceMs: number) {
    this.id = id;
    this.#login = login;
    this.random = random;
    this.#sinceMs = sinceMs;
  }

  // ── Connections ────────────────────────────────────────────────────────────────────────────

  async connect(): Promise<void> {
    this.epoch++;
    this.rows = new Map();
    this.prepared = new Map();
    this.settings = new Map();
    this.#nextRow = 1;
    this.#remember(`connects; epoch ${this.epoch}`);
    this.wire = await this.#awaited(WireClient.connect(this.#login));
  }

  /** Dials without waiting, for a client that will not stay. */
  dial(): WireClient {
    return WireClient.dial(this.#login);
  }

  /** The connection is over or about to be; `outcomes` may be found in its rows afterwards. */
  leave(how: string, ...outcomes: readonly Rows[]): void {
    this.#remember(`leaves: ${how}`);
    this.past.push({ client: this.id, epoch: this.epoch, how, outcomes });
  }

  /** FIN, behind these last words; resolves when the other side has closed as well. */
  async hangUp(lastWords?: Buffer): Promise<void> {
    if (lastWords !== undefined) this.#remember(`→ ${sentLine(lastWords)}`);
    this.#remember('→ FIN');
    await this.#awaited(this.wire.end(lastWords));
  }

  // ── Talking ────────────────────────────────────────────────────────────────────────────────

  /** Sends, and holds every message that comes against `expected`. */
  async ask(sent: Buffer, ...expected: readonly string[]): Promise<void> {
    this.send(sent);
    await this.hear(...expected);
  }

  send(bytes: Buffer): void {
    this.#remember(`→ ${sentLine(bytes)}`);
    this.wire.send(bytes);
  }

  async hear(...expected: readonly string[]): Promise<void> {
    for (const [index, line] of expected.entries()) {
      const message = await this.next();
      const heard = message.toString();
      if (heard === line) continue;
      const explanation = message.explanation === '' ? '' : ` ${message.explanation}`;
      throw this.wrong(
        `answer ${index + 1} of ${expected.length} should be\n  ${line}\nbut is\n  ${heard}${explanation}`,
      );
    }
    this.answers++;
  }

  async next(): Promise<Message> {
    const message = await this.#awaited(this.wire.next());
    this.#remember(`← ${message}`);
    return message;
  }

  async #awaited<T>(promise: Promise<T>): Promise<T> {
    this.waitingSinceMs = performance.now();
    try {
      return await promise;
    } catch (error) {
      throw this.wrong(`the connection failed: ${(error as Error).message}`);
    } finally {
      this.waitingSinceMs = 0;
    }
  }

  wrong(what: string): WrongAnswer {
    return new WrongAnswer(`client ${this.id}, ${this.act}: ${what}`);
  }

  // ── Data ───────────────────────────────────────────────────────────────────────────────────

  /** What makes a row this client's; for a WHERE. */
  get mine(): string {
    return `client = ${this.id} AND epoch = ${this.epoch}`;
  }

  newRow(): number {
    return this.#nextRow++;
  }

  /** Says whose it is, and is like no other. Letters, digits, colons: needs no quoting anywhere. */
  payload(row: number, length = this.random.below(8) === 0 ? 3_000 : 40): string {
    let text = `c${this.id}:e${this.epoch}:r${row}:`;
    const size = text.length + this.random.below(length);
    while (text.length < size) text += this.random.below(0x7fffffff).toString(36);
    return text;
  }

  /** One of its rows, or null while there is none. */
  anyRow(rows: Rows = this.rows): number | null {
    if (rows.size === 0) return null;
    return [...rows.keys()][this.random.below(rows.size)] as number;
  }

  chance(oneIn: number): boolean {
    return this.random.below(oneIn) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.random.below(choices.length)] as T;
  }

  // ── Memory ─────────────────────────────────────────────────────────────────────────────────

  #remember(line: string): void {
    if (this.#memory.length === MEMORY_LINES) this.#memory.shift();
    const seconds = ((performance.now() - this.#sinceMs) / 1000).toFixed(3);
    this.#memory.push(`${seconds.padStart(8)} ${this.act.padEnd(16)} ${line}`);
  }

  note(line: string): void {
    this.#remember(line);
  }

  get history(): string {
    return this.#memory.join('\n');
  }
}
