/** What a scrape wants to know of the moment, read off the lists that are the states. */
import type { Pools } from '../backend/pools.ts';
import type { Door } from '../session/door.ts';
import type { StatementCache } from '../sql/statement-cache.ts';
import type { MetricsView } from '../telemetry/metrics.ts';
import type { Clock } from '../util/clock.ts';

export function metricsView(
  door: Door,
  pools: Pools,
  statements: StatementCache,
  clock: Clock,
): Partial<MetricsView> {
  return {
    *clients() {
      yield { service: '', state: 'login', count: door.loggingIn.length };
      for (const service of door.services.all) {
        const { name, idle, open, active, clients } = service;
        yield { service: name, state: 'idle', count: idle.length };
        yield { service: name, state: 'open', count: open.length };
        yield { service: name, state: 'active', count: active.length };
        const waiting = clients - idle.length - open.length - active.length;
        yield { service: name, state: 'waiting', count: waiting };
      }
    },
    *waiting() {
      const nowMs = clock.nowMs();
      const byService = new Map<string, { count: number; oldestMs: number }>();
      for (const pool of pools) {
        const sum = byService.get(pool.spec.service) ?? { count: 0, oldestMs: 0 };
        const oldest = pool.waiting.first();
        sum.count += pool.waiting.length;
        if (oldest !== null) {
          sum.oldestMs = Math.max(sum.oldestMs, nowMs - oldest.waitingSinceMs);
        }
        byService.set(pool.spec.service, sum);
      }
      for (const [service, sum] of byService) yield { service, ...sum };
    },
    *servers() {
      const sums = new Map<string, ServerCount>();
      for (const pool of pools) for (const count of countServers(pool)) add(sums, count);
      yield* sums.values();
    },
    loggingIn: () => countPhases(door),
    handshakesWaiting: () => door.gate.waiting.length,
    statementCache: () => ({ hits: statements.hits, misses: statements.misses }),
  };
}

const PHASES = ['greeting', 'tls', 'authenticating', 'delayed', 'welcoming'] as const;

function countPhases(door: Door): { phase: string; count: number }[] {
  const counts = new Map<string, number>(PHASES.map((phase) => [phase, 0]));
  for (const { phaseName } of door.loggingIn) {
    counts.set(phaseName, (counts.get(phaseName) ?? 0) + 1);
  }
  return Array.from(counts, ([phase, count]) => ({ phase, count }));
}

interface ServerCount {
  service: string;
  database: string;
  target: string;
  state: string;
  count: number;
}

type PoolLists = Pools extends Iterable<infer P> ? P : never;

function* countServers(pool: PoolLists): Iterable<ServerCount> {
  const { service, database, target } = pool.spec;
  for (const list of [
    pool.connecting,
    pool.idle,
    pool.leased,
    pool.checking,
    pool.cleaning,
    pool.cancelling,
  ]) {
    yield { service, database, target: target.name, state: list.name, count: list.length };
  }
}

/** Pools differ by login as well, which is not a label: there may be as many as there are users. */
function add(sums: Map<string, ServerCount>, each: ServerCount): void {
  const key = `${each.service}\0${each.database}\0${each.target}\0${each.state}`;
  const sum = sums.get(key);
  if (sum === undefined) sums.set(key, each);
  else sum.count += each.count;
}
