/** What a login needs to know of the process: who may come in, and where they go. */
import type { ServerCredentials } from '../backend/pool-spec.ts';
import type { Pools } from '../backend/pools.ts';
import type { UserStore } from '../auth/user-store.ts';
import type { AuthMethod, DatabaseConfig, LimitsConfig } from '../config/snapshot.ts';
import type { ServiceMeters } from '../telemetry/meters.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { IntrusiveList } from '../util/intrusive-list.ts';
import type { ClientLogin } from './client-login.ts';
import type { SessionContext } from './context.ts';
import type { Services } from './services.ts';

export interface DoorOptions {
  readonly context: SessionContext;
  readonly method: AuthMethod;
  readonly users: UserStore;
  readonly services: Services;
  readonly pools: Pools;
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  readonly limits: LimitsConfig;
  /** Counts for clients whose service is not known. */
  readonly strangers: ServiceMeters;
}

export class Door {
  readonly context: SessionContext;
  readonly method: AuthMethod;
  readonly users: UserStore;
  readonly services: Services;
  readonly pools: Pools;
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  readonly limits: LimitsConfig;
  readonly strangers: ServiceMeters;
  /** Clients that have not been let in yet. */
  readonly loggingIn = new IntrusiveList<ClientLogin>('login');
  /** Those of them that have said who they are and are not counted by a service yet. */
  proving = 0;
  #nextSessionId = 1;

  constructor(options: DoorOptions) {
    this.context = options.context;
    this.method = options.method;
    this.users = options.users;
    this.services = options.services;
    this.pools = options.pools;
    this.databases = options.databases;
    this.limits = options.limits;
    this.strangers = options.strangers;
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

  /** How servers are logged in to for this user. */
  credentials(database: DatabaseConfig, user: string): ServerCredentials {
    if (database.login !== null) return database.login;
    return { user, password: this.users.find(user)?.serverPassword ?? null };
  }

  deadline(clock: Clock, expired: () => void): Timer | null {
    const { loginTimeoutMs } = this.limits;
    return loginTimeoutMs > 0 ? clock.after(loginTimeoutMs, expired) : null;
  }
}
