/**
 * Users that are not in the configuration, asked of a server (`auth.query`) and remembered.
 *
 * - One question per user at a time: a storm of logins in one name waits for one answer.
 * - An answer is good for `ttl`. A login that fails against an older answer makes it doubtful, so
 *   that a password which has just been changed is found at the next attempt.
 * - While the server cannot be asked, the last answer counts for `outage` longer: logins outlive a
 *   failover. Who was never asked about cannot log in then, and is told that it will pass.
 * - Who does not exist is remembered too, in a place of its own: made-up names must not push out
 *   real ones.
 * - VALID UNTIL is held against the clock at every login, not when the answer came (CVE-2025-2291).
 *
 * The question runs on connections that carry nothing of any client's: see `control/auth-query.ts`.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../util/clock.ts';
import { SingleFlight } from '../util/single-flight.ts';

/** What the server says of a user. */
export interface FoundUser {
  /** As in `pg_shadow.passwd`; null is a user without a password, who cannot log in by one. */
  readonly password: string | null;
  /** Milliseconds since 1970; null is for ever. */
  readonly validUntilMs: number | null;
}

export interface UserLookupOptions {
  /** Rejects when the server cannot be asked. */
  readonly ask: (name: string) => Promise<FoundUser | null>;
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly outageMs: number;
  /** Called when an old answer is used because a new one could not be had. */
  readonly stale?: (error: unknown) => void;
  /** Where answers are kept; without it, nowhere else. */
  readonly answers?: FoundAnswers;
}

const KNOWN_MAX = 10_000;
const UNKNOWN_MAX = 10_000;
/** How soon a doubtful answer is asked for again; wrong passwords must not become queries. */
const DOUBT_AFTER_MS = 1_000;
/** Names longer than NAMEDATALEN - 1 do not exist on any server. */
const NAME_BYTES_MAX = 63;

interface Answer {
  readonly found: FoundUser | null;
  readonly askedAtMs: number;
  doubtful: boolean;
}

interface Answers {
  readonly known: LRUCache<string, Answer>;
  readonly unknown: LRUCache<string, Answer>;
}

/** What servers have said, for longer than one configuration: logins outlive a reload as well. */
export class FoundAnswers {
  #source: string | null = null;
  #current: Answers = noAnswers();

  get current(): Answers {
    return this.#current;
  }

  /**
   * From here on `source` is asked. What it has said already counts, but only until it is asked
   * again; what another one has said does not.
   */
  begin(source: string): void {
    const { known, unknown } = this.#current;
    if (this.#source === source) {
      for (const answer of [...known.values(), ...unknown.values()]) answer.doubtful = true;
    } else {
      this.#current = noAnswers();
    }
    this.#source = source;
  }
}

function noAnswers(): Answers {
  return { known: new LRUCache({ max: KNOWN_MAX }), unknown: new LRUCache({ max: UNKNOWN_MAX }) };
}

export class UserLookup {
  readonly #options: UserLookupOptions;
  readonly #known: LRUCache<string, Answer>;
  readonly #unknown: LRUCache<string, Answer>;
  readonly #flights = new SingleFlight<FoundUser | null>();

  constructor(options: UserLookupOptions) {
    this.#options = options;
    const { known, unknown } = options.answers?.current ?? noAnswers();
    this.#known = known;
    this.#unknown = unknown;
  }

  /** Null: no such user, or not any more. Rejects when nobody knows. */
  async find(name: string): Promise<FoundUser | null> {
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return null;
    const { clock, ttlMs, outageMs } = this.#options;
    const answer = this.#known.get(name) ?? this.#unknown.get(name);
    if (answer !== undefined && this.#isGood(answer, ttlMs)) return this.#valid(answer.found);
    try {
      return this.#valid(await this.#flights.run(name, () => this.#ask(name)));
    } catch (error) {
      if (answer === undefined || clock.nowMs() - answer.askedAtMs > ttlMs + outageMs) throw error;
      this.#options.stale?.(error);
      return this.#valid(answer.found);
    }
  }

  /** A login failed against the last answer: it may be out of date. */
  doubt(name: string): void {
    const answer = this.#known.get(name) ?? this.#unknown.get(name);
    if (answer !== undefined) answer.doubtful = true;
  }

  async #ask(name: string): Promise<FoundUser | null> {
    const askedAtMs = this.#options.clock.nowMs();
    const found = await this.#options.ask(name);
    const [keep, drop] =
      found === null ? [this.#unknown, this.#known] : [this.#known, this.#unknown];
    drop.delete(name);
    keep.set(name, { found, askedAtMs, doubtful: false });
    return found;
  }

  #isGood(answer: Answer, ttlMs: number): boolean {
    const ageMs = this.#options.clock.nowMs() - answer.askedAtMs;
    return ageMs < (answer.doubtful ? Math.min(ttlMs, DOUBT_AFTER_MS) : ttlMs);
  }

  #valid(found: FoundUser | null): FoundUser | null {
    const untilMs = found?.validUntilMs ?? null;
    return untilMs !== null && untilMs <= this.#options.clock.wallMs() ? null : found;
  }
}
