/**
 * What a pool is for and how it behaves; made from the configuration, never changed. A reload gives
 * the pool another one.
 */
import type { StoredLogin } from '../auth/key-ring.ts';
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
  /** What stands in for a password that is not known, as of the moment a server asks. */
  readonly stored: StoredLogin | null;
  /** Settings for the startup packet. */
  readonly parameters: ReadonlyMap<string, string>;
}

export const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** An account of the configuration: its password, and nothing else. */
export function accountCredentials(
  account: { readonly user: string; readonly password: string | null },
  parameters: ReadonlyMap<string, string> = NO_PARAMETERS,
): ServerCredentials {
  const { user, password } = account;
  return { user, password, stored: null, parameters };
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
  /** Whether anybody who comes now would get this pool. */
  readonly wanted: boolean;

  constructor(
    service: Pick<ServiceConfig, 'name' | 'pool' | 'timeouts'>,
    database: string,
    target: TargetConfig,
    login: ServerCredentials,
    credentialKeys: KeyCache,
    wanted = true,
  ) {
    this.service = service.name;
    this.database = database;
    this.target = target;
    this.login = login;
    this.pool = service.pool;
    this.timeouts = service.timeouts;
    this.credentialKeys = credentialKeys;
    this.wanted = wanted;
  }
}

/** What is different about the servers that two specs of one pool would dial. */
export type SpecChange = 'none' | 'proof' | 'place';

/**
 * `place`: they are somewhere else, or of somebody else; those there are serve nobody any more.
 * `proof`: they are the same servers, asked in another way (password, TLS). Those there are remain
 * good, and are better than none if the new way turns out to be a mistake.
 */
export function compareSpecs(before: PoolSpec, after: PoolSpec): SpecChange {
  const [old, now] = [before.target.server, after.target.server];
  if (old.host !== now.host || old.port !== now.port) return 'place';
  if (before.target.database !== after.target.database) return 'place';
  if (before.login.user !== after.login.user) return 'place';
  const { mode, ca, cert, key } = old.tls;
  const sameTls =
    mode === now.tls.mode && ca === now.tls.ca && cert === now.tls.cert && key === now.tls.key;
  return sameTls && isSameProof(before.login, after.login) ? 'none' : 'proof';
}

/** With a verifier in place of a password, it is the verifier that may have changed. */
function isSameProof(before: ServerCredentials, after: ServerCredentials): boolean {
  const known = ({ stored }: ServerCredentials): string | null =>
    stored === null ? null : stored.known.join('\n');
  return before.password === after.password && known(before) === known(after);
}
