/**
 * What a client is told at login about its session's settings, found out from a real server: the
 * settings it asked for are applied there once, so that a bad value is refused as Postgres refuses
 * it, and the values reported are the server's own spelling. The answer is kept for everybody who
 * logs in with the same wishes.
 */
import type { Pool } from '../backend/pool.ts';
import { QuietOwner } from '../backend/quiet-owner.ts';
import type { ReplyOwner } from '../backend/reply-owner.ts';
import type { ReplyEntry } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { ErrorFacts } from '../backend/server-messages.ts';
import {
  internSettings,
  NO_SETTINGS,
  REPORTED_SETTINGS,
  type SessionSettings,
  settingsSql,
} from '../backend/session-vars.ts';
import { Waiter } from '../backend/waiter.ts';
import { ProxyError } from '../errors/proxy-error.ts';

export interface LoginProfile {
  readonly settings: SessionSettings;
  /** ParameterStatus to send, by name as the server spells it. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** What the server said of a setting it would not take. */
export interface SettingRefused {
  readonly sqlstate: string;
  readonly message: string;
}

export type ProfileResult = LoginProfile | ProxyError | SettingRefused | 'lost';

/** Profiles kept per pool; clients that put their process id into a setting would make no end. */
const PROFILES_MAX = 1_000;

interface Known {
  /** The pool's era: other servers may spell values in another way. */
  readonly era: number;
  readonly byWish: Map<string, LoginProfile>;
}

const profiles = new WeakMap<Pool, Known>();

/** Calls `done` now or later. The returned waiter can be given up with `pool.leave`. */
export function findProfile(
  pool: Pool,
  wishes: ReadonlyMap<string, string>,
  done: (result: ProfileResult) => void,
): ProfileProbe | null {
  const base = pool.parameters;
  const known = base === null ? null : profileWithoutAsking(pool, base, wishes);
  if (known !== null) {
    done(known);
    return null;
  }
  const probe = new ProfileProbe(pool, wishes, done);
  const got = pool.acquire(probe);
  if (got === null) return probe;
  if (got instanceof ProxyError) done(got);
  else probe.granted(got);
  return null;
}

function profileWithoutAsking(
  pool: Pool,
  base: ReadonlyMap<string, string>,
  wishes: ReadonlyMap<string, string>,
): LoginProfile | null {
  const settings = new Map<string, string>();
  const parameters = new Map(base);
  for (const [name, value] of wishes) {
    if (findReported(base, name)?.[1] === value) continue;
    if (name !== 'application_name' || !isPlainName(value)) {
      return knownProfiles(pool).get(internSettings(wishes).key) ?? null;
    }
    settings.set(name, value);
    parameters.set('application_name', value);
  }
  return { settings: settings.size === 0 ? NO_SETTINGS : internSettings(settings), parameters };
}

/** Printable ASCII, short enough: the server keeps it as it is. */
function isPlainName(value: string): boolean {
  return /^[\x20-\x7e]{0,63}$/.test(value);
}

function findReported(
  parameters: ReadonlyMap<string, string>,
  name: string,
): readonly [string, string] | null {
  for (const pair of parameters) if (pair[0].toLowerCase() === name) return pair;
  return null;
}

export class ProfileProbe extends Waiter {
  readonly #pool: Pool;
  readonly #wishes: ReadonlyMap<string, string>;
  readonly #done: (result: ProfileResult) => void;
  readonly #replies: ProbeReplies;
  /** What the server had before it was asked. */
  #before = NO_SETTINGS;

  constructor(
    pool: Pool,
    wishes: ReadonlyMap<string, string>,
    done: (result: ProfileResult) => void,
  ) {
    super();
    this.#pool = pool;
    this.#wishes = wishes;
    this.#done = done;
    this.#replies = new ProbeReplies((server, refused) => this.#answered(server, refused));
  }

  get replyOwner(): ReplyOwner {
    return this.#replies;
  }

  granted(server: ServerConnection): void {
    const wanted = internSettings(this.#wishes);
    const sql = settingsSql(server.settings, wanted, server.settingsReset);
    this.#before = server.settings;
    server.settings = wanted;
    if (sql === '') this.#answered(server, null);
    else server.ownQuery(sql, this.#replies);
  }

  refused(error: ProxyError): void {
    this.#done(error);
  }

  /** Gives up waiting, if it still waits. */
  abandon(): void {
    if (this.list !== null) this.#pool.leave(this);
  }

  #answered(server: ServerConnection | null, refused: SettingRefused | null): void {
    if (server === null) {
      this.#done('lost');
      return;
    }
    if (refused !== null) {
      // All of it was one query string, and with one of its settings all of them have failed.
      server.settings = this.#before;
      server.pool.release(server);
      this.#done(refused);
      return;
    }
    server.settingsReset = false;
    const profile = this.#profile(server);
    server.settings = profile.settings;
    remember(this.#pool, internSettings(this.#wishes).key, profile);
    server.pool.release(server);
    this.#done(profile);
  }

  #profile(server: ServerConnection): LoginProfile {
    const settings = new Map<string, string>();
    for (const [name, value] of this.#wishes) {
      const reported = REPORTED_SETTINGS.has(name) ? findReported(server.parameters, name) : null;
      settings.set(name, reported?.[1] ?? value);
    }
    return { settings: internSettings(settings), parameters: new Map(server.parameters) };
  }
}

function remember(pool: Pool, key: string, profile: LoginProfile): void {
  const known = knownProfiles(pool);
  if (known.size >= PROFILES_MAX) known.delete(known.keys().next().value as string);
  known.set(key, profile);
}

function knownProfiles(pool: Pool): Map<string, LoginProfile> {
  let known = profiles.get(pool);
  if (known === undefined || known.era !== pool.era) {
    known = { era: pool.era, byWish: new Map() };
    profiles.set(pool, known);
  }
  return known.byWish;
}

class ProbeReplies extends QuietOwner {
  readonly #answered: (server: ServerConnection | null, refused: SettingRefused | null) => void;
  #refused: SettingRefused | null = null;
  #over = false;

  constructor(answered: (server: ServerConnection | null, refused: SettingRefused | null) => void) {
    super();
    this.#answered = answered;
  }

  override errored(_server: ServerConnection, _entry: ReplyEntry, error: ErrorFacts): void {
    this.#refused = { sqlstate: error.sqlstate, message: error.message };
  }

  override ready(server: ServerConnection): void {
    this.#over = true;
    this.#answered(server, this.#refused);
  }

  override lost(): void {
    if (!this.#over) this.#answered(null, this.#refused);
  }
}
