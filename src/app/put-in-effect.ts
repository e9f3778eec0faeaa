/**
 * The part of a reload that cannot fail: every room of the house is told of the new configuration,
 * within one turn of the event loop, so that no client sees half of it.
 *
 * Clients that are there stay: their service lives on under its name, or without one until they
 * have left; a user or database that is gone lets nobody in any more, and puts nobody out.
 */
import { Hba } from '../auth/hba.ts';
import type { Pool } from '../backend/pool.ts';
import type { ServerCredentials } from '../backend/pool-spec.ts';
import type { Config, DatabaseConfig } from '../config/snapshot.ts';
import { AUTH_QUERY_SERVICE, authQueryLogin, authQueryService } from '../control/auth-query.ts';
import type { Door } from '../session/door.ts';
import { changePool } from '../session/lease.ts';
import { Session } from '../session/session.ts';
import { makeUsers, type UserParts } from './make-users.ts';
import { warmPools } from './warm.ts';

export function putInEffect(config: Config, door: Door, userParts: UserParts): void {
  const { auth } = config;
  const services = new Map(config.services.map((service) => [service.name, service]));
  if (auth.query !== null) services.set(AUTH_QUERY_SERVICE, authQueryService(auth.query));
  door.services.apply(config.services);
  door.apply({
    method: auth.method,
    hba: auth.hba === null ? null : new Hba(auth.hba),
    failureDelayMs: auth.failureDelayMs,
    users: makeUsers(config, userParts),
    databases: config.databases,
    limits: config.limits,
  });
  door.pools.apply({
    service: (name) => services.get(name),
    database: (name) => config.databases.get(name),
    login: (service, database, user) => {
      if (service !== AUTH_QUERY_SERVICE) return currentLogin(door, database, user);
      return auth.query?.database === database.name ? authQueryLogin(auth.query) : null;
    },
  });
  door.pools.prune(placeSessions(door));
  warmPools(config, door);
}

/** Null for a user who is gone, whose sessions go on with the password they had. */
function currentLogin(
  door: Door,
  database: DatabaseConfig,
  user: string,
): ServerCredentials | null {
  const { users } = door;
  const isKnown = database.login !== null || users.looksUp || users.find(user) !== null;
  return isKnown ? door.credentials(database, user) : null;
}

/** Gives every session the pool it would get if it came now; returns the pools in use. */
function placeSessions(door: Door): ReadonlySet<Pool> {
  const used = new Set<Pool>();
  for (const session of [...allSessions(door)]) {
    const database = door.databases.get(session.database);
    const target = database?.targets[0];
    const login = database === undefined ? null : currentLogin(door, database, session.user);
    if (database !== undefined && target !== undefined && login !== null) {
      const pool = door.pools.get(session.service.config, database.name, target, login);
      if (pool !== session.pool) changePool(session, pool);
    }
    used.add(session.pool);
  }
  return used;
}

export function* allSessions(door: Door): IterableIterator<Session> {
  for (const { idle, open, active } of door.services.all) {
    yield* idle;
    yield* open;
    yield* active;
  }
  for (const pool of door.pools) {
    for (const waiter of pool.waiting) if (waiter instanceof Session) yield waiter;
  }
}
