/**
 * The composition root: makes every part from one configuration, plugs them into each other, and
 * takes them apart again. The only place that sees everything.
 */
import { randomBytes } from 'node:crypto';
import { HttpPort } from '../admin/http.ts';
import { Hba } from '../auth/hba.ts';
import { KeyRing } from '../auth/key-ring.ts';
import { KeyCache } from '../auth/scram-keys.ts';
import { FoundAnswers } from '../auth/user-lookup.ts';
import { Pools } from '../backend/pools.ts';
import { PreparedRegistry } from '../backend/prepared.ts';
import type { Config, HttpConfig } from '../config/snapshot.ts';
import { readUnacknowledged } from '../net/tcp-table.ts';
import { CancelRegistry } from '../session/cancel-registry.ts';
import { ClientLogin } from '../session/client-login.ts';
import type { SessionContext } from '../session/context.ts';
import { type Doubt, Doubts } from '../session/doubts.ts';
import { Door } from '../session/door.ts';
import { Services } from '../session/services.ts';
import { sweep, SWEEP_EVERY_MS } from '../session/timeouts.ts';
import { StatementCache } from '../sql/statement-cache.ts';
import type { Log } from '../telemetry/logger.ts';
import { LoopWatch } from '../telemetry/loop-watch.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { Drain } from './drain.ts';
import { Listeners } from './listeners.ts';
import { makeUsers, type UserParts } from './make-users.ts';
import { PeerWatch } from './peer-watch.ts';
import { PoolLog } from './pool-log.ts';
import { putInEffect } from './put-in-effect.ts';
import type { ReloadStatus } from './reloader.ts';
import { statusOf } from './status.ts';
import { metricsView } from './views.ts';
import { warmPools } from './warm.ts';

export interface ProxyOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly logLinesDropped?: () => number;
}

interface OpenHttp {
  readonly port: HttpPort;
  /** The port in use. */
  readonly number: number;
}

export class SluiceProxy {
  /** What is in effect. */
  config: Config;
  readonly door: Door;
  readonly pools: Pools;
  readonly metrics: Metrics;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners: Listeners;
  readonly #drain: Drain;
  readonly #peerWatch: PeerWatch;
  readonly #loopWatch: LoopWatch;
  readonly #version: string;
  readonly #startedAtMs: number;
  /** What of the users outlives a reload. */
  readonly #userParts: UserParts;
  #http: HttpPort | null = null;
  #httpPort = 0;
  /** Plugged in by whoever reloads. */
  configStatus: () => ReloadStatus | null = () => null;
  #sweeps: Timer | null = null;
  #stopping: Promise<void> | null = null;
  #listening = false;

  constructor(options: ProxyOptions) {
    const { config, clock, log, version } = options;
    this.config = config;
    this.#clock = clock;
    this.#log = log;
    this.#version = version;
    this.#startedAtMs = clock.nowMs();
    this.metrics = new Metrics({ version, instance: config.fleet.instance });
    const keys = new KeyCache();
    const statements = new StatementCache();
    const context: SessionContext = {
      clock,
      log,
      meters: this.metrics.process,
      statements,
      prepared: new PreparedRegistry(),
      cancels: new CancelRegistry(config.fleet.instance, 0),
      doubts: new Doubts(),
      draining: false,
    };
    this.pools = new Pools(clock, new PoolLog(this.metrics, log), keys);
    const meters = this.metrics.logins;
    this.#userParts = {
      ...{ clock, log, meters, keys, pools: this.pools },
      ...{ ring: new KeyRing(), secret: randomBytes(32), answers: new FoundAnswers() },
    };
    this.door = new Door({
      context,
      method: config.auth.method,
      hba: config.auth.hba === null ? null : new Hba(config.auth.hba),
      failureDelayMs: config.auth.failureDelayMs,
      users: makeUsers(config, this.#userParts),
      meters,
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
    this.#drain = new Drain({
      clock,
      log,
      door: this.door,
      phases: () => this.config.drain,
      closeListeners: () => this.#listeners.close(),
    });
    this.#loopWatch = new LoopWatch(clock);
    this.#peerWatch = new PeerWatch({ clock, log, door: this.door, read: readUnacknowledged });
    this.#listeners = new Listeners((link, peer, { config: listener, tls }) => {
      new ClientLogin({ door: this.door, link, peer, listener, tls });
    }, log);
  }

  /** The port of the first listener. */
  get port(): number {
    return this.#listeners.port;
  }

  /** The last lost answers, newest first. */
  get doubts(): readonly Doubt[] {
    return this.door.context.doubts.list;
  }

  get httpPort(): number {
    return this.#httpPort;
  }

  /** Opens every port; when one cannot be opened, none stays open and the reason is thrown. */
  async start(): Promise<void> {
    try {
      const listeners = await this.#listeners.prepare(this.config.listen);
      listeners.commit();
      const http = await this.#openHttp(this.config.http);
      this.#http = http?.port ?? null;
      this.#httpPort = http?.number ?? 0;
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
      listeners: this.#listeners.addresses,
      http: this.#http === null ? null : `${this.config.http.host}:${this.#httpPort}`,
    });
  }

  /**
   * Makes everything ready that can fail about a new configuration: ports are opened, certificates
   * read into contexts. Rejects, with nothing changed, if something does fail. What is returned
   * puts the configuration into effect at once.
   */
  async prepare(config: Config): Promise<() => void> {
    if (this.#stopping !== null) throw new Error('the process is stopping');
    const listeners = await this.#listeners.prepare(config.listen);
    const before = this.config.http;
    const moves = before.host !== config.http.host || before.port !== config.http.port;
    let http: OpenHttp | null = null;
    try {
      if (moves) http = await this.#openHttp(config.http);
      if (this.#stopping !== null) throw new Error('the process is stopping');
    } catch (error) {
      listeners.abort();
      throw error;
    }
    return () => {
      this.config = config;
      if (moves) {
        void this.#http?.close();
        this.#http = http?.port ?? null;
        this.#httpPort = http?.number ?? 0;
      }
      putInEffect(config, this.door, this.#userParts);
      listeners.commit();
    };
  }

  /** Stops in the phases of `drain.ts`. Called again, it stops waiting. */
  stop(): Promise<void> {
    if (this.#stopping === null) {
      this.#stopping = this.#drain.run().then(() => {
        this.#release();
        this.#log.info('stopped', {});
      });
    } else {
      this.#drain.cut();
    }
    return this.#stopping;
  }

  #release(): void {
    this.#listeners.close();
    this.#sweeps?.cancel();
    this.#peerWatch.stop();
    this.#loopWatch.stop();
    void this.#http?.close();
  }

  async #openHttp(config: HttpConfig): Promise<OpenHttp | null> {
    if (config.port === null) return null;
    const token = (): string | null => this.config.http.token;
    const port = new HttpPort(
      {
        get token() {
          return token();
        },
        health: () => this.#loopWatch.trouble(),
        unready: () => this.#unready(),
        status: () => this.status(),
        metrics: async () => ({
          contentType: this.metrics.contentType,
          text: await this.metrics.text(),
        }),
      },
      this.#log,
    );
    return { port, number: await port.listen(config.host, config.port) };
  }

  /** What `/status` shows. */
  status(): Readonly<Record<string, unknown>> {
    return statusOf({
      version: this.#version,
      config: this.config,
      door: this.door,
      clock: this.#clock,
      startedAtMs: this.#startedAtMs,
      listeners: this.#listeners.addresses,
      unready: this.#unready(),
      configuration: this.configStatus(),
      doubts: this.doubts,
    });
  }

  #unready(): string[] {
    const reasons: string[] = [];
    if (!this.#listening) reasons.push('not listening yet');
    if (this.#stopping !== null) reasons.push('stopping');
    return reasons;
  }
}
