/** What a pool is for and how it behaves; made from the configuration, never changed. */
import type { KeyCache } from '../auth/scram-keys.ts';
import type {
  PoolConfig,
  ServiceConfig,
  TargetConfig,
  TimeoutsConfig,
} from '../config/snapshot.ts';

/** How servers of the pool are logged in to. */
export interface ServerCredentials {
  readonly user: string;
  readonly password: string | null;
}

export class PoolSpec {
  readonly service: string;
  readonly database: string;
  readonly target: TargetConfig;
  readonly login: ServerCredentials;
  readonly pool: PoolConfig;
  readonly timeouts: TimeoutsConfig;
  /** Keys derived from passwords, shared by all logins of the process. */
  readonly credentialKeys: KeyCache;

  constructor(
    service: ServiceConfig,
    database: string,
    target: TargetConfig,
    login: ServerCredentials,
    credentialKeys: KeyCache,
  ) {
    this.service = service.name;
    this.database = database;
    this.target = target;
    this.login = login;
    this.pool = service.pool;
    this.timeouts = service.timeouts;
    this.credentialKeys = credentialKeys;
  }
}
