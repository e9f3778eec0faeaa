/** What a login needs to know of the process: who may come in, and where they go. */
import { accountCredentials, NO_PARAMETERS, type ServerCredentials } from '../backend/pool-spec.ts';
import type { Pools } from '../backend/pools.ts';
import type { Hba } from '../auth/hba.ts';
import type { UserStore } from '../auth/user-store.ts';
import type { AuthMethod, DatabaseConfig, LimitsConfig } from '../config/snapshot.ts';
import { HandshakeGate } from '../net/handshake-gate.ts';
import type { LoginMeters } from '../telemetry/login-meters.ts';
import type { ServiceMeters } from '../telemetry/meters.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { IntrusiveList } from '../util/intrusive-list.ts';
import type { ClientLogin } from './client-login.ts';
import type { SessionContext } from './context.ts';
import { LoginGate } from './login-gate.ts';
import type { Services } from './services.ts';

export interface DoorOptions {
  readonly context: SessionContext;
  readonly method: AuthMethod;
  /** Decides in place of `method`; null where there is no HBA file. */
  readonly hba: Hba | null;
  readonly failureDelayMs: number;
  readonly users: UserStore;
  readonly services: Services;
  readonly pools: Pools;
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  readonly limits: LimitsConfig;
  /** Counts for clients whose service is not known. */
  readonly strangers: ServiceMeters;
  readonly meters: LoginMeters;
}

/** What a reload replaces. */
export type DoorRules = Pick<
  DoorOptions,
  'method' | 'hba' | 'failureDelayMs' | 'users' | 'databases' | 'limits'
>;

export class Door {
  readonly context: SessionContext;
  readonly services: Services;
  readonly pools: Pools;
  method: AuthMethod;
  hba: Hba | null;
  failureDelayMs: number;
  users: UserStore;
  databases: ReadonlyMap<string, DatabaseConfig>;
  limits: LimitsConfig;
  readonly strangers: ServiceMeters;
  readonly meters: LoginMeters;
  /** Through it logins begin, a few at a time. */
  readonly entrance: LoginGate;
  /** Through it TLS handshakes begin, one by one. */
  readonly gate = new HandshakeGate();
  /** Clients that have not been let in yet. */
  readonly loggingIn = new IntrusiveList<ClientLogin>('login');
  /** Those of them that have said who they are and are not counted by a service yet. */
  proving = 0;
  #nextSessionId = 1;

  constructor(options: DoorOptions) {
    this.context = options.context;
    this.entrance = new LoginGate(options.context.clock);
    this.method = options.method;
    this.hba = options.hba;
    this.failureDelayMs = options.failureDelayMs;
    this.users = options.users;
    this.services = options.services;
    this.pools = options.pools;
    this.databases = options.databases;
    this.limits = options.limits;
    this.strangers = options.strangers;
    this.meters = options.meters;
  }

  /** Logins that have begun go on by whichever of these they look at next. */
  apply(rules: DoorRules): void {
    this.method = rules.method;
    this.hba = rules.hba;
    this.failureDelayMs = rules.failureDelayMs;
    this.users = rules.users;
    this.databases = rules.databases;
    this.limits = rules.limits;
  }

  nextSessionId(): number {
    return this.#nextSessionId++;
  }

  /** Clients of the process that have been let in. */
  get clients(): number {
    let clients = 0;
    for (const service of this.services.all) clients += service.clients;
    return clients;
  }

  /** How servers are logged in to for a user, as things are now. */
  credentials(database: DatabaseConfig, name: string): ServerCredentials {
    if (database.login !== null) return accountCredentials(database.login);
    const user = this.users.find(name);
    const password = user?.serverPassword ?? null;
    const stored = password === null ? this.users.ring.of(name, user?.passwords) : null;
    return { user: name, password, stored, parameters: NO_PARAMETERS };
  }

  deadline(clock: Clock, expired: () => void): Timer | null {
    const { loginTimeoutMs } = this.limits;
    return loginTimeoutMs > 0 ? clock.after(loginTimeoutMs, expired) : null;
  }
}
