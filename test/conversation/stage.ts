/**
 * Where conversations are played: everything of the proxy from a client's link to a server's, with
 * wires for sockets, a fake clock for time, and model servers at the far end. What a test sends has
 * had all its effects when the call returns.
 *
 * Servers are named in the order in which they are dialled: server1, server2, cancel requests
 * included, which are connections like any other.
 */
import { PoolLog } from '../../src/app/pool-log.ts';
import { KeyCache } from '../../src/auth/scram-keys.ts';
import { UserStore } from '../../src/auth/user-store.ts';
import type { Pool } from '../../src/backend/pool.ts';
import { Pools } from '../../src/backend/pools.ts';
import { PreparedRegistry } from '../../src/backend/prepared.ts';
import type {
  DatabaseConfig,
  LimitsConfig,
  ListenConfig,
  PoolConfig,
  ServiceConfig,
  TimeoutsConfig,
} from '../../src/config/snapshot.ts';
import { Link } from '../../src/net/link.ts';
import { CancelRegistry } from '../../src/session/cancel-registry.ts';
import { ClientLogin } from '../../src/session/client-login.ts';
import type { SessionContext } from '../../src/session/context.ts';
import { Door } from '../../src/session/door.ts';
import { Doubts } from '../../src/session/doubts.ts';
import type { Service } from '../../src/session/service.ts';
import { Services } from '../../src/session/services.ts';
import { sweep, SWEEP_EVERY_MS } from '../../src/session/timeouts.ts';
import { StatementCache } from '../../src/sql/statement-cache.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { onDial } from '../support/dialled.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLog } from '../support/fake-log.ts';
import { ModelPostgres } from './model-postgres.ts';
import * as say from './say.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { Transcript } from './transcript.ts';
import { type WireEnd, Wires } from './wires.ts';

export interface StageOptions {
  readonly pool?: Partial<PoolConfig>;
  readonly timeouts?: Partial<TimeoutsConfig>;
  readonly limits?: Partial<LimitsConfig>;
  readonly pin?: ServiceConfig['pin'];
  readonly cancelOrphans?: boolean;
}

/** All clients are read into one buffer, as by `net/listener.ts`. */
const clientBuffer = Buffer.allocUnsafeSlow(65_536);

const NOBODY = { onData: () => {}, onDrain: () => {}, onEnd: () => {}, onClose: () => {} };

const LISTENER: ListenConfig = {
  host: '127.0.0.1',
  port: 6432,
  name: '127.0.0.1:6432',
  service: null,
  reusePort: false,
  proxyProtocol: false,
  tls: { mode: 'disable', cert: null, key: null, clientCa: null },
};

export const DATABASE: DatabaseConfig = {
  name: 'shop',
  login: null,
  targets: [
    {
      name: 'primary',
      role: 'primary',
      database: 'shop',
      server: {
        name: 'db:5432',
        host: 'db',
        port: 5432,
        maxConnections: null,
        reserve: 0,
        tls: { mode: 'disable', ca: null, cert: null, key: null },
      },
    },
  ],
};

/** As the schema has it, with room for one server, so that sharing is easy to see. */
export function serviceConfig(options: StageOptions = {}): ServiceConfig {
  return {
    name: 'default',
    index: 0,
    match: [],
    pool: {
      mode: 'transaction',
      size: 1,
      min: 0,
      maxClients: 100,
      maxQueue: 100,
      queueTimeoutMs: 30_000,
      lifetimeMs: 3_600_000,
      idleTimeoutMs: 600_000,
      checkAfterMs: 30_000,
      preparedStatements: 200,
      ...options.pool,
    },
    timeouts: {
      connectMs: 5_000,
      transactionMs: 0,
      idleInTransactionMs: 300_000,
      clientIdleMs: 0,
      ...options.timeouts,
    },
    pin: options.pin ?? 'allow',
    cancelOrphans: options.cancelOrphans ?? true,
  };
}

/** One for all stages: making it is dear. Counts go on from stage to stage. */
const metrics = new Metrics({ version: '0', instance: 'stage' });

export class Stage {
  readonly wires = new Wires();
  readonly clock = new FakeClock();
  readonly log = new FakeLog();
  readonly transcript = new Transcript();
  readonly servers: ModelPostgres[] = [];
  readonly pools: Pools;
  readonly door: Door;
  readonly service: Service;
  readonly context: SessionContext;
  /** Nobody listens where servers are dialled. */
  unreachable = false;
  /** Servers take connections and say nothing. */
  silent = false;
  /** Servers leave connections that brought a cancel request open until `finishCancels`. */
  holdCancels = false;
  readonly #heldCancels: ScriptedPeer[] = [];

  constructor(options: StageOptions = {}) {
    onDial((options) => {
      const end = this.#dialled();
      end.onRead = options.onread ?? null;
      return end.asSocket();
    });
    const { clock, log } = this;
    // A moment of 0 is "never" in many a record.
    clock.advance(1_000);
    const keys = new KeyCache();
    this.context = {
      clock,
      log,
      meters: metrics.process,
      statements: new StatementCache(),
      prepared: new PreparedRegistry(),
      cancels: new CancelRegistry('stage', 0),
      doubts: new Doubts(),
      draining: false,
    };
    this.pools = new Pools(clock, new PoolLog(metrics, log), keys);
    this.door = new Door({
      context: this.context,
      strangers: metrics.service(''),
      meters: metrics.logins,
      method: 'trust',
      hba: null,
      failureDelayMs: 0,
      users: new UserStore([], keys, Buffer.alloc(32)),
      services: new Services([serviceConfig(options)], metrics),
      pools: this.pools,
      databases: new Map([[DATABASE.name, DATABASE]]),
      limits: {
        ...{ maxClients: 100, maxLogins: 100, messageBytes: 1 << 30 },
        ...{ loginTimeoutMs: 30_000, tcpUserTimeoutMs: 30_000 },
        ...options.limits,
      },
    });
    this.service = this.door.services.all[0] as Service;
    clock.every(SWEEP_EVERY_MS, () => sweep(this.door.services.all, clock.nowMs()));
  }

  /** A client that has logged in; the login is in no transcript and is not cut. */
  client(name: string, parameters: Readonly<Record<string, string>> = {}): ScriptedPeer {
    const { cut } = this.wires;
    const lines = this.transcript.lines.length;
    this.wires.cut = () => [];
    const client = this.connect(name);
    client.sendFirstPacket(say.startup({ user: 'app', database: 'shop', ...parameters }));
    this.wires.cut = cut;
    this.transcript.lines.length = lines;
    if (client.count('ReadyForQuery') !== 1) throw new Error(`${name} was not let in`);
    return client;
  }

  /** A connection that has said nothing yet. */
  connect(name: string): ScriptedPeer {
    const [tested, scripted] = this.wires.pair();
    const peer = { address: '127.0.0.1', port: 40_000 };
    const link = new Link(tested.asSocket(), NOBODY, true);
    tested.onRead = {
      buffer: () => clientBuffer,
      callback: (length) => {
        link.take(clientBuffer.subarray(0, length));
        return true;
      },
    };
    new ClientLogin({ door: this.door, link, peer, listener: LISTENER, tls: null });
    link.start();
    return new ScriptedPeer('client', name, scripted, this.transcript);
  }

  /** The nth server that was dialled, from 1. */
  server(number = 1): ModelPostgres {
    const server = this.servers[number - 1];
    if (server === undefined) throw new Error(`server ${number} was never dialled`);
    return server;
  }

  /** The only pool. */
  get pool(): Pool {
    const [pool] = this.pools;
    if (pool === undefined) throw new Error('no pool yet');
    return pool;
  }

  /** Lets time pass, and everything happen that it brings about. */
  pass(ms: number): void {
    // In steps, because what a timer sets off may set the next timer only when the wires have run.
    for (let left = ms; left > 0; left -= Math.min(left, 50)) {
      this.clock.advance(Math.min(left, 50));
      this.settle();
    }
  }

  /** What a call into the program has brought about leaves, and is answered. */
  settle(): void {
    this.wires.run();
  }

  note(text: string): void {
    this.transcript.note('--', text);
  }

  /** Servers that got a cancel request close its connection now. */
  finishCancels(): void {
    this.holdCancels = false;
    for (const peer of this.#heldCancels.splice(0)) peer.end();
  }

  #dialled(): WireEnd {
    const [tested, scripted] = this.wires.pair();
    const peer = new ScriptedPeer(
      'server',
      `server${this.servers.length + 1}`,
      scripted,
      this.transcript,
    );
    const server = new ModelPostgres(peer, this.servers.length + 1);
    this.servers.push(server);
    if (this.unreachable) {
      tested.destroy(new Error('connect ECONNREFUSED'));
      return tested;
    }
    server.muted = this.silent;
    const answer = peer.onMessage;
    peer.onMessage = (received) => {
      if (received.name === 'Request') this.#cancelled(peer, received.bytes);
      else answer?.(received);
    };
    this.wires.post(() => tested.emit('connect'));
    return tested;
  }

  #cancelled(peer: ScriptedPeer, request: Buffer): void {
    const processId = request.readInt32BE(8);
    const server = this.servers.find((one) => one.processId === processId);
    if (server?.key.equals(request.subarray(12)) === true) server.cancel();
    if (this.holdCancels) this.#heldCancels.push(peer);
    else peer.end();
  }
}
