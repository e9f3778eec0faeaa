/**
 * The configuration as the rest of the program sees it: one frozen tree per load, every default
 * filled in, every name resolved, every duration in milliseconds and every size in bytes. Nobody
 * edits a snapshot; a reload makes another one with the next generation, and code that must not
 * change its mind half-way keeps the snapshot it started with.
 *
 * Only types live here. `schema.ts` is the table of keys, `load.ts` turns a file into a snapshot.
 */

/** Milliseconds, or `OFF` where the file said `off`. */
export type DurationMs = number;
export const OFF = 0;

export type PoolMode = 'transaction' | 'session' | 'statement';
export type TlsMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
export type AuthMethod = 'trust' | 'md5' | 'scram-sha-256' | 'cert';
export type TargetRole = 'primary';

export interface Config {
  /** 1 for the first load; each reload that is applied adds one. */
  readonly generation: number;
  /** Absolute path of the main file. */
  readonly path: string;
  readonly listen: readonly ListenConfig[];
  readonly http: HttpConfig;
  readonly log: LogConfig;
  readonly fleet: { readonly instance: string };
  readonly drain: DrainConfig;
  readonly auth: AuthConfig;
  readonly limits: LimitsConfig;
  /** By name. A `Map` is frozen by convention: the loader hands it out as ReadonlyMap. */
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  /** In the order of the file; the last one is always `default` and matches everybody. */
  readonly services: readonly ServiceConfig[];
}

export interface ListenConfig {
  readonly host: string;
  readonly port: number;
  /** `host:port`, the name `match.listeners` uses and logs show. */
  readonly name: string;
  /** A port as identity: whoever comes in here belongs to this service. */
  readonly service: string | null;
  /** Another process may listen on the same port. */
  readonly reusePort: boolean;
  /** Every connection begins with a PROXY protocol header, which says whose it is. */
  readonly proxyProtocol: boolean;
  readonly tls: ListenTlsConfig;
}

export interface ListenTlsConfig {
  readonly mode: 'disable' | 'prefer' | 'require';
  /** PEM texts, already read. Null when mode is `disable`. */
  readonly cert: string | null;
  readonly key: string | null;
  /** Authorities of client certificates; null asks for none. */
  readonly clientCa: string | null;
}

/** The phases of stopping, in this order. */
export interface DrainConfig {
  readonly readyOffMs: DurationMs;
  readonly clientsMs: DurationMs;
  readonly transactionsMs: DurationMs;
}

export interface HttpConfig {
  readonly host: string;
  /** 0 is a free port of the system's choosing; null is no HTTP at all. */
  readonly port: number | null;
  readonly token: string | null;
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
}

export interface AuthConfig {
  readonly method: AuthMethod;
  readonly users: ReadonlyMap<string, UserConfig>;
  /** Null: users are those of the configuration. */
  readonly query: AuthQueryConfig | null;
  /** Entries of the HBA file in its order, deciding in place of `method`; null without a file. */
  readonly hba: readonly HbaRuleConfig[] | null;
  /** How long a wrong password waits for its answer. */
  readonly failureDelayMs: DurationMs;
}

export interface AuthQueryConfig {
  /** Where it is asked: the first target of one of `databases`. */
  readonly database: string;
  readonly login: { readonly user: string; readonly password: string | null };
  /** With $1 for the name; columns: name, stored password, and optionally VALID UNTIL. */
  readonly sql: string;
  readonly ttlMs: DurationMs;
  /** How long an answer counts beyond that while the server cannot be asked. */
  readonly outageMs: DurationMs;
  readonly size: number;
}

export interface HbaRuleConfig {
  /** Its line in the file. */
  readonly line: number;
  readonly encryption: 'any' | 'tls' | 'plain';
  readonly databases: readonly HbaNameConfig[];
  readonly users: readonly HbaNameConfig[];
  /** CIDR networks, or a word for some of them. */
  readonly addresses: readonly string[] | 'all' | 'samehost' | 'samenet';
  readonly method: AuthMethod | 'reject';
}

/** A name, or a word with a meaning; what was quoted in the file is always a name. */
export interface HbaNameConfig {
  readonly text: string;
  readonly keyword: 'all' | 'sameuser' | 'replication' | null;
}

export interface UserConfig {
  readonly name: string;
  /**
   * Passwords that let the user in, or what servers store of them (`SCRAM-SHA-256$…`, `md5…`). The
   * first that is a password is also what Sluice logs in to servers with.
   */
  readonly passwords: readonly string[];
  /** Databases the user may open; null is all. */
  readonly databases: readonly string[] | null;
  /** CIDR networks the user may come from; null is all. */
  readonly clients: readonly string[] | null;
}

export interface LimitsConfig {
  /** Clients of the whole process, logins included. */
  readonly maxClients: number;
  /** How long a client may take from its first byte to the end of its login. */
  readonly loginTimeoutMs: DurationMs;
  /** A peer that does not acknowledge for this long what it is sent counts as lost. */
  readonly tcpUserTimeoutMs: DurationMs;
  /** Clients that are logging in at one time. */
  readonly maxLogins: number;
  /** A protocol message from a client longer than this closes its connection. */
  readonly messageBytes: number;
}

export interface DatabaseConfig {
  readonly name: string;
  /** Null: each client's own user and password. */
  readonly login: { readonly user: string; readonly password: string | null } | null;
  readonly targets: readonly TargetConfig[];
}

export interface TargetConfig {
  readonly name: string;
  readonly role: TargetRole;
  readonly server: ServerConfig;
  /** The database's name on that server. */
  readonly database: string;
}

export interface ServerConfig {
  readonly name: string;
  /** A host name or address, or the directory of a unix socket when it begins with `/`. */
  readonly host: string;
  readonly port: number;
  /** What the server allows in all (its `max_connections`); null when not stated. */
  readonly maxConnections: number | null;
  readonly reserve: number;
  readonly tls: ServerTlsConfig;
}

export interface ServerTlsConfig {
  readonly mode: TlsMode;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export interface ServiceConfig {
  readonly name: string;
  /** The service's place in the file, for metrics and stable order. */
  readonly index: number;
  /** Any of these must hold ("or"); within one, all named keys must. Empty: only by listener. */
  readonly match: readonly ServiceMatch[];
  readonly pool: PoolConfig;
  readonly timeouts: TimeoutsConfig;
  readonly pin: 'allow' | 'refuse';
  /** Whether a vanished client's running statement is cancelled. */
  readonly cancelOrphans: boolean;
}

/** Null means the key was not given. Users, databases and listeners are globs; clients are CIDR. */
export interface ServiceMatch {
  readonly users: readonly string[] | null;
  readonly databases: readonly string[] | null;
  readonly certs: readonly string[] | null;
  readonly listeners: readonly string[] | null;
  readonly clients: readonly string[] | null;
}

export interface PoolConfig {
  readonly mode: PoolMode;
  /** Servers a service may hold on one target of one database, all its logins together. */
  readonly size: number;
  readonly min: number;
  readonly maxClients: number;
  readonly maxQueue: number;
  readonly queueTimeoutMs: DurationMs;
  /** A server older than this is closed when it is next idle. */
  readonly lifetimeMs: DurationMs;
  /** A server idle for longer than this is closed, down to `min`. */
  readonly idleTimeoutMs: DurationMs;
  /** A server idle for longer than this is asked whether it lives before it is handed out. */
  readonly checkAfterMs: DurationMs;
  /** Prepared statements kept per server. */
  readonly preparedStatements: number;
}

export interface TimeoutsConfig {
  readonly connectMs: DurationMs;
  readonly transactionMs: DurationMs;
  readonly idleInTransactionMs: DurationMs;
  readonly clientIdleMs: DurationMs;
}
