/** The users of a configuration, with whoever `auth.query` finds. */
import type { KeyRing } from '../auth/key-ring.ts';
import type { KeyCache } from '../auth/scram-keys.ts';
import { type FoundAnswers, UserLookup } from '../auth/user-lookup.ts';
import { UserStore } from '../auth/user-store.ts';
import type { Pools } from '../backend/pools.ts';
import type { Config } from '../config/snapshot.ts';
import { AuthQuery } from '../control/auth-query.ts';
import type { Log } from '../telemetry/logger.ts';
import type { LoginMeters } from '../telemetry/login-meters.ts';
import { assert } from '../util/assert.ts';
import type { Clock } from '../util/clock.ts';

export interface UserParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly pools: Pools;
  readonly meters: LoginMeters;
  readonly keys: KeyCache;
  /** Like the keys, as old as the process. */
  readonly ring: KeyRing;
  readonly secret: Buffer;
  readonly answers: FoundAnswers;
}

export function makeUsers(config: Config, parts: UserParts): UserStore {
  const { keys, ring, secret } = parts;
  const users = new UserStore(config.auth.users.values(), keys, secret, {
    ring,
    lookup: makeLookup(config, parts),
  });
  const { method, hba } = config.auth;
  if (method === 'scram-sha-256' || hba !== null) void users.prepare();
  return users;
}

function makeLookup(config: Config, parts: UserParts): UserLookup | null {
  const { query } = config.auth;
  if (query === null) return null;
  const { clock, log, pools, meters, answers } = parts;
  const database = config.databases.get(query.database);
  assert(database !== undefined, 'auth.query asks a database that is not there');
  const source = new AuthQuery(query, database, pools, clock);
  const ask = async (name: string) => {
    try {
      const found = await source.ask(name);
      if (found === null) meters.lookupsUnknown++;
      else meters.lookupsFound++;
      return found;
    } catch (error) {
      meters.lookupsFailed++;
      throw error;
    }
  };
  const stale = (error: unknown): void => {
    meters.lookupsStale++;
    log.warn('a user is known from before only: auth.query has no answer', { error });
  };
  // Answers of another server, or to another question, are about other users.
  answers.begin(JSON.stringify([query.sql, query.login.user, database.targets[0]]));
  const { ttlMs, outageMs } = query;
  return new UserLookup({ ask, clock, ttlMs, outageMs, stale, answers });
}
