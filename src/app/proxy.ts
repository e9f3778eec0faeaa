/**
 * The composition root: makes every part from one configuration, plugs them into each other, and
 * takes them apart again. The only place that sees everything.
 */
import { randomBytes } from 'node:crypto';
import { HttpPort } from '../admin/http.ts';
import { KeyCache } from '../auth/scram-keys.ts';
import { UserStore } from '../auth/user-store.ts';
import { Pools } from '../backend/pools.ts';
import { PreparedRegistry } from '../backend/prepared.ts';
import type { Config, ListenConfig } from '../config/snapshot.ts';
import { refuse } from '../errors/proxy-error.ts';
import { Listener } from '../net/listener.ts';
import { type ServerTlsContext, serverTlsContext } from '../net/tls.ts';
import { CancelRegistry } from '../session/cancel-registry.ts';
import { ClientLogin } from '../session/client-login.ts';
import type { SessionContext } from '../session/context.ts';
import { Door } from '../session/door.ts';
import { Services } from '../session/services.ts';
import { sweep, SWEEP_EVERY_MS } from '../session/timeouts.ts';
import { StatementCache } from '../sql/statement-cache.ts';
import type { Log } from '../telemetry/logger.ts';
import { LoopWatch } from '../telemetry/loop-watch.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { PoolLog } from './pool-log.ts';
import { metricsView } from './views.ts';
import { warmPools } from './warm.ts';

/** How often a stopping process looks whether everybody has gone. */
const DRAIN_LOOK_MS = 20;

export interface ProxyOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly logLinesDropped?: () => number;
}

export class SluiceProxy {
  readonly config: Config;
  readonly door: Door;
  readonly pools: Pools;
  readonly metrics: Metrics;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #context: SessionContext;
  readonly #listeners: { readonly listener: Listener; readonly config: ListenConfig }[] = [];
  readonly #loopWatch: LoopWatch;
  readonly #http: HttpPort | null;
  #httpPort = 0;
  #sweeps: Timer | null = null;
  #stopping: Promise<void> | null = null;
  #listening = false;
  #readyOff = false;
  #cut = false;

  constructor(options: ProxyOptions) {
    const { config, clock, log, version } = options;
    this.config = config;
    this.#clock = clock;
    this.#log = log;
    this.metrics = new Metrics({ version, instance: config.fleet.instance });
    const keys = new KeyCache();
    const users = new UserStore(config.auth.users.values(), keys, randomBytes(32));
    if (config.auth.method === 'scram-sha-256') void users.prepare();
    const statements = new StatementCache();
    this.#context = {
      clock,
      log,
      meters: this.metrics.process,
      statements,
      prepared: new PreparedRegistry(),
      cancels: new CancelRegistry(config.fleet.instance, 0),
      draining: false,
    };
    this.pools = new Pools(clock, new PoolLog(this.metrics, log), keys);
    this.door = new Door({
      context: this.#context,
      method: config.auth.method,
      users,
      services: new Services(config.services, this.metrics),
      pools: this.pools,
      databases: config.databases,
      limits: config.limits,
      strangers: this.metrics.service(''),
    });
    this.metrics.watch({
      ...metricsView(this.door, this.pools, statements, clock),
      logLinesDropped: options.logLinesDropped ?? (() => 0),
    });
    this.#loopWatch = new LoopWatch(clock);
    this.#http = this.#makeHttp();
  }

  /** The port of the first listener. */
  get port(): number {
    return this.#listeners[0]?.listener.port ?? 0;
  }

  get httpPort(): number {
    return this.#httpPort;
  }

  /** Opens every port; when one cannot be opened, none stays open and the reason is thrown. */
  async start(): Promise<void> {
    try {
      for (const config of this.config.listen) await this.#listen(config);
      if (this.#http !== null && this.config.http.port !== null) {
        this.#httpPort = await this.#http.listen(this.config.http.host, this.config.http.port);
      }
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#listening = true;
    warmPools(this.config, this.door);
    this.#sweeps = this.#clock.every(SWEEP_EVERY_MS, () => {
      sweep(this.door.services.all, this.#clock.nowMs());
    });
    this.#log.info('listening', {
      listeners: this.#listeners.map(({ listener, config }) => `${config.host}:${listener.port}`),
      http: this.#http === null ? null : `${this.config.http.host}:${this.#httpPort}`,
    });
  }

  /**
   * Stops in the contract's phases: say "not ready" and go on serving for `drain.ready_off`; accept
   * nobody and let transactions end for `drain.transactions`; then close what is left. Called
   * again, it stops waiting.
   */
  stop(): Promise<void> {
    if (this.#stopping !== null) {
      this.#cut = true;
      return this.#stopping;
    }
    this.#stopping = this.#drain();
    return this.#stopping;
  }

  async #drain(): Promise<void> {
    this.#readyOff = true;
    const { readyOffMs, transactionsMs } = this.config.drain;
    this.#log.info('stopping', { clients: this.door.clients });
    await this.#waitFor(() => this.door.clients === 0, readyOffMs);
    for (const { listener } of this.#listeners) listener.close();
    this.#context.draining = true;
    this.#closeIdle();
    await this.#waitFor(() => this.door.clients === 0, transactionsMs);
    const left = this.door.clients;
    if (left > 0) this.#log.warn('closing clients in the middle of their work', { clients: left });
    // The pools first: whoever waits is told, and nobody is given what somebody else must leave.
    this.pools.close(refuse('draining'));
    for (const session of [...this.#sessions()]) session.fail(refuse('draining'));
    for (const login of [...this.door.loggingIn]) login.fail(refuse('draining'));
    // Cancelled statements are given a moment, so that no server is left running one for nobody.
    await this.#waitFor(() => this.pools.serverCount === 0, 1_000);
    this.#release();
    this.#log.info('stopped', {});
  }

  #closeIdle(): void {
    for (const service of this.door.services.all) {
      for (const session of service.idle) session.closeIfIdle();
    }
  }

  *#sessions() {
    for (const { idle, open, active } of this.door.services.all) {
      yield* idle;
      yield* open;
      yield* active;
    }
  }

  async #waitFor(done: () => boolean, atMostMs: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + atMostMs;
    while (!done() && !this.#cut && this.#clock.nowMs() < untilMs) {
      await new Promise<void>((resolve) => {
        this.#clock.after(DRAIN_LOOK_MS, resolve);
      });
      if (this.#context.draining) this.#closeIdle();
    }
  }

  #release(): void {
    for (const { listener } of this.#listeners) listener.close();
    this.#sweeps?.cancel();
    this.#loopWatch.stop();
    void this.#http?.close();
  }

  async #listen(config: ListenConfig): Promise<void> {
    const tls = tlsContext(config);
    const listener = new Listener({
      host: config.host,
      port: config.port,
      accept: (link, peer) => {
        new ClientLogin({ door: this.door, link, peer, listener: config, tls });
      },
      onError: (error) => this.#log.error('listener failed', { listener: config.name, error }),
    });
    this.#listeners.push({ listener, config });
    await listener.open();
  }

  #makeHttp(): HttpPort | null {
    const { port, token } = this.config.http;
    if (port === null) return null;
    return new HttpPort(
      {
        token,
        health: () => this.#loopWatch.trouble(),
        unready: () => this.#unready(),
        metrics: async () => ({
          contentType: this.metrics.contentType,
          text: await this.metrics.text(),
        }),
      },
      this.#log,
    );
  }

  #unready(): string[] {
    const reasons: string[] = [];
    if (!this.#listening) reasons.push('not listening yet');
    if (this.#readyOff) reasons.push('stopping');
    return reasons;
  }
}

function tlsContext(config: ListenConfig): ServerTlsContext | null {
  const { mode, cert, key, clientCa } = config.tls;
  if (mode === 'disable' || cert === null || key === null) return null;
  return serverTlsContext(cert, key, clientCa);
}
