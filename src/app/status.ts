/**
 * What `/status` says: for a person or a script that wants to know how things are right now,
 * without a query language. Each part is a check with its own `ok`; the whole is ok when all of
 * them are. Nothing here decides whether the process gets clients: that is `/readyz`.
 */
import type { Pool } from '../backend/pool.ts';
import type { Config } from '../config/snapshot.ts';
import type { Door } from '../session/door.ts';
import type { Doubt } from '../session/doubts.ts';
import type { Clock } from '../util/clock.ts';
import type { ReloadStatus } from './reloader.ts';

export interface StatusSources {
  readonly version: string;
  readonly config: Config;
  readonly door: Door;
  readonly clock: Clock;
  readonly startedAtMs: number;
  readonly listeners: readonly string[];
  readonly unready: readonly string[];
  /** Null where nobody reloads. */
  readonly configuration: ReloadStatus | null;
  readonly doubts: readonly Doubt[];
}

type Json = Readonly<Record<string, unknown>>;

export function statusOf(sources: StatusSources): Json {
  const { config, door, clock, configuration } = sources;
  const pools = [...door.pools];
  const targets = targetChecks(config, pools, clock);
  const checks = pools.map((pool) => poolCheck(pool, clock));
  const configurationOk = configuration === null || configuration.lastReload !== 'failed';
  return {
    ok: configurationOk && [...targets, ...checks].every(({ ok }) => ok),
    version: sources.version,
    instance: config.fleet.instance,
    uptime_seconds: Math.round((clock.nowMs() - sources.startedAtMs) / 1000),
    ready: sources.unready.length === 0,
    unready: sources.unready,
    listeners: sources.listeners,
    configuration: { ok: configurationOk, ...configurationJson(config, configuration) },
    clients: { logging_in: door.loggingIn.length, services: serviceCounts(door) },
    targets,
    pools: checks,
    doubts: sources.doubts,
  };
}

function configurationJson(config: Config, status: ReloadStatus | null): Json {
  return {
    path: config.path,
    generation: config.generation,
    applied_at: status?.appliedAt ?? null,
    last_reload: status?.lastReload ?? null,
    problems: status?.problems ?? [],
    restart_needed: status?.restartNeeded ?? [],
  };
}

function serviceCounts(door: Door): Json[] {
  return door.services.all.map(({ name, clients, idle, open, active, config }) => ({
    service: name,
    clients,
    idle: idle.length,
    open: open.length,
    waiting: clients - idle.length - open.length - active.length,
    active: active.length,
    max_clients: config.pool.maxClients,
  }));
}

/** A target is in trouble when the last attempt to connect to it has failed. */
function targetChecks(config: Config, pools: readonly Pool[], clock: Clock): Check[] {
  const checks: Check[] = [];
  for (const database of config.databases.values()) {
    for (const { name, role, server } of database.targets) {
      const own = pools.filter(
        ({ spec }) => spec.database === database.name && spec.target.name === name,
      );
      const servers = own.reduce((sum, pool) => sum + pool.size - pool.connecting.length, 0);
      const failures = own.flatMap(({ failure }) => (failure === null ? [] : [failure]));
      const last = failures.toSorted((a, b) => b.atMs - a.atMs)[0] ?? null;
      checks.push({
        ok: last === null,
        database: database.name,
        target: name,
        role,
        address: `${server.host}:${server.port}`,
        servers,
        last_failure: last === null ? null : failureJson(last, clock),
      });
    }
  }
  return checks;
}

interface Check extends Json {
  readonly ok: boolean;
}

/** A pool is in trouble when somebody waits for longer than half of what he may wait. */
function poolCheck(pool: Pool, clock: Clock): Check {
  const { service, database, target, login } = pool.spec;
  const oldest = pool.waiting.first();
  const waitedMs = oldest === null ? 0 : clock.nowMs() - oldest.waitingSinceMs;
  const { queueTimeoutMs } = pool.spec.pool;
  return {
    ok: queueTimeoutMs === 0 || waitedMs * 2 < queueTimeoutMs,
    service,
    database,
    target: target.name,
    user: login.user,
    size: pool.budget.size,
    servers: {
      connecting: pool.connecting.length,
      idle: pool.idle.length,
      leased: pool.leased.length,
      checking: pool.checking.length,
      cleaning: pool.cleaning.length,
      cancelling: pool.cancelling.length,
    },
    waiting: pool.waiting.length,
    oldest_wait_seconds: waitedMs / 1000,
    last_failure: pool.failure === null ? null : failureJson(pool.failure, clock),
  };
}

function failureJson(failure: { atMs: number; reason: string }, clock: Clock): Json {
  return {
    seconds_ago: Math.round((clock.nowMs() - failure.atMs) / 1000),
    reason: failure.reason,
  };
}
