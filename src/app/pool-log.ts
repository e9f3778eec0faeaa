/** Writes down what pools tell: counters for Prometheus, lines for whoever reads logs. */
import type { Pool } from '../backend/pool.ts';
import type { PoolEvents } from '../backend/pool-events.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { LoginFailure } from '../backend/server-login.ts';
import { SERVER_STATE_NAMES, ServerState } from '../backend/server-states.ts';
import { ProtocolViolation } from '../errors/protocol-violation.ts';
import type { Log } from '../telemetry/logger.ts';
import type { TargetMeters } from '../telemetry/meters.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export class PoolLog implements PoolEvents {
  readonly #metrics: Metrics;
  readonly #log: Log;

  constructor(metrics: Metrics, log: Log) {
    this.#metrics = metrics;
    this.#log = log;
  }

  connected(pool: Pool, durationMs: number): void {
    const meters = this.#meters(pool);
    meters.connects++;
    meters.connect.observe(durationMs);
    this.#log.debug('server connected', { ...about(pool), duration_ms: Math.round(durationMs) });
  }

  connectFailed(pool: Pool, failure: LoginFailure): void {
    this.#meters(pool).connectFailures++;
    this.#log.warn('server connect failed', {
      ...about(pool),
      address: `${pool.spec.target.server.host}:${pool.spec.target.server.port}`,
      reason: failure.reason,
    });
  }

  disconnected(pool: Pool, reason: string, state: ServerState): void {
    const wanted = state === ServerState.Idle || state === ServerState.Connecting;
    if (!wanted) this.#meters(pool).lost++;
    this.#log.debug('server disconnected', {
      ...about(pool),
      reason,
      state: SERVER_STATE_NAMES[state],
    });
  }

  faulted(pool: Pool, server: ServerConnection, error: unknown): void {
    const attributes = { ...about(pool), server_pid: server.processId };
    if (error instanceof ProtocolViolation) {
      this.#log.error('server broke the protocol', { ...attributes, reason: error.message });
    } else {
      this.#log.error('reading from a server failed', { ...attributes, error });
    }
  }

  waited(pool: Pool, waitedMs: number): void {
    this.#metrics.service(pool.spec.service).wait.observe(waitedMs);
  }

  cancelled(pool: Pool, orphan: boolean): void {
    this.#log.debug('cancel request sent', { ...about(pool), orphan });
  }

  #meters(pool: Pool): TargetMeters {
    const { service, database, target } = pool.spec;
    return this.#metrics.target(service, database, target.name);
  }
}

function about(pool: Pool): { service: string; database: string; target: string; user: string } {
  const { service, database, target, login } = pool.spec;
  return { service, database, target: target.name, user: login.user };
}
