/**
 * Makes the snapshot from what was read: names resolved, defaults inherited, short forms written
 * out. It decides nothing and complains of nothing; `checks.ts` has done that. Called only with
 * settings that have no problems.
 */
import { parseHbaFile } from './hba-file.ts';
import type {
  AuthQueryConfig,
  Config,
  DatabaseConfig,
  ListenConfig,
  PoolConfig,
  ServerConfig,
  ServiceConfig,
  TargetConfig,
  TimeoutsConfig,
  UserConfig,
} from './snapshot.ts';
import type { Settings } from './schema.ts';

type ListenSettings = NonNullable<Settings['listen']>[number];
type DatabaseSettings = Settings['databases'] extends ReadonlyMap<string, infer D> ? D : never;
type TargetSettings = NonNullable<DatabaseSettings['targets']>[number];
type PoolSettings = Settings['defaults']['pool'];
type ServiceSettings = NonNullable<Settings['services']>[number];
type SizeSettings = PoolSettings['size'];

/** The service that matches whom no other does. */
export const DEFAULT_SERVICE = 'default';

export interface Origin {
  /** Absolute. */
  readonly path: string;
  readonly generation: number;
  readonly hostname: string;
}

export function buildConfig(settings: Settings, origin: Origin): Config {
  const file = settings.auth.hba_file;
  const hba = file === null ? null : parseHbaFile(file.text);
  return deepFreeze({
    generation: origin.generation,
    path: origin.path,
    listen: (settings.listen ?? []).map(buildListen),
    http: settings.http,
    log: settings.log,
    fleet: { instance: settings.fleet.instance ?? origin.hostname },
    drain: {
      readyOffMs: settings.drain.ready_off,
      clientsMs: settings.drain.clients,
      transactionsMs: settings.drain.transactions,
    },
    auth: {
      method: settings.auth.method,
      users: buildUsers(settings),
      query: buildAuthQuery(settings),
      hba: hba?.rules ?? null,
      failureDelayMs: settings.auth.failure_delay,
    },
    limits: {
      maxClients: settings.limits.max_clients,
      loginTimeoutMs: settings.limits.login_timeout,
      maxLogins: settings.limits.max_logins,
      tcpUserTimeoutMs: settings.limits.tcp_user_timeout,
      messageBytes: settings.limits.message_bytes,
    },
    databases: buildDatabases(settings),
    services: buildServices(settings),
  });
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What `listen[].tls.mode` is where it is not given. */
export function listenTlsMode(tls: ListenSettings['tls']): ListenConfig['tls']['mode'] {
  return tls.mode ?? (tls.cert === null ? 'disable' : 'prefer');
}

/** What holds for a service: its own value, else the one of `defaults`. */
export function effectivePool(own: ServiceSettings['pool'] | null, base: PoolSettings): PoolConfig {
  return {
    mode: own?.mode ?? base.mode,
    size: primarySize(own?.size ?? base.size),
    min: own?.min ?? base.min,
    maxClients: own?.max_clients ?? base.max_clients,
    maxQueue: own?.max_queue ?? base.max_queue,
    queueTimeoutMs: own?.queue_timeout ?? base.queue_timeout,
    lifetimeMs: own?.lifetime ?? base.lifetime,
    idleTimeoutMs: own?.idle_timeout ?? base.idle_timeout,
    checkAfterMs: own?.check_after ?? base.check_after,
    preparedStatements: own?.prepared_statements ?? base.prepared_statements,
  };
}

function effectiveTimeouts(
  own: ServiceSettings['timeouts'] | null,
  base: Settings['defaults']['timeouts'],
): TimeoutsConfig {
  return {
    connectMs: own?.connect ?? base.connect,
    transactionMs: own?.transaction ?? base.transaction,
    idleInTransactionMs: own?.idle_in_transaction ?? base.idle_in_transaction,
    clientIdleMs: own?.client_idle ?? base.client_idle,
  };
}

function primarySize(size: SizeSettings): number {
  return typeof size === 'number' ? size : size.primary;
}

function buildListen(listen: ListenSettings): ListenConfig {
  const mode = listenTlsMode(listen.tls);
  const off = mode === 'disable';
  return {
    host: listen.host,
    port: listen.port,
    name: hostPort(listen.host, listen.port),
    service: listen.service,
    reusePort: listen.reuse_port,
    proxyProtocol: listen.proxy_protocol,
    tls: {
      mode,
      cert: off ? null : listen.tls.cert,
      key: off ? null : listen.tls.key,
      clientCa: off ? null : listen.tls.client_ca,
    },
  };
}

function buildUsers(settings: Settings): ReadonlyMap<string, UserConfig> {
  const users = new Map<string, UserConfig>();
  for (const [name, user] of settings.auth.users) {
    const { password, databases, clients } = user;
    users.set(name, { name, passwords: password ?? [], databases, clients });
  }
  return users;
}

function buildAuthQuery(settings: Settings): AuthQueryConfig | null {
  const { database, user, password, sql, ttl, outage, size } = settings.auth.query;
  if (database === null) return null;
  const own = settings.databases.get(database)!.login;
  const login = user === null ? (own as Exclude<typeof own, 'client'>) : { user, password };
  return { database, login, sql, ttlMs: ttl, outageMs: outage, size };
}

function buildDatabases(settings: Settings): ReadonlyMap<string, DatabaseConfig> {
  const servers = new Map<string, ServerConfig>();
  for (const [name, server] of settings.servers) {
    servers.set(name, {
      name,
      host: server.address.host,
      port: server.address.port,
      maxConnections: server.max_connections,
      reserve: server.reserve,
      tls: server.tls,
    });
  }
  const databases = new Map<string, DatabaseConfig>();
  for (const [name, database] of settings.databases) {
    databases.set(name, {
      name,
      login: database.login === 'client' ? null : database.login,
      targets: (database.targets ?? []).map((target) => buildTarget(target, name, servers)),
    });
  }
  return databases;
}

function buildTarget(
  target: TargetSettings,
  database: string,
  servers: ReadonlyMap<string, ServerConfig>,
): TargetConfig {
  return {
    name: target.name ?? target.role,
    role: target.role,
    server: target.url === null ? servers.get(target.server!)! : serverOf(target.url),
    database: target.database ?? target.url?.database ?? database,
  };
}

function serverOf(url: NonNullable<TargetSettings['url']>): ServerConfig {
  return {
    name: hostPort(url.host, url.port),
    host: url.host,
    port: url.port,
    maxConnections: null,
    reserve: 0,
    tls: { mode: url.tlsMode ?? 'prefer', ca: null, cert: null, key: null },
  };
}

function buildServices(settings: Settings): readonly ServiceConfig[] {
  const { defaults } = settings;
  const services = (settings.services ?? []).map(
    (service, index): ServiceConfig => ({
      name: service.name,
      index,
      match: service.match ?? [],
      pool: effectivePool(service.pool, defaults.pool),
      timeouts: effectiveTimeouts(service.timeouts, defaults.timeouts),
      pin: service.pin,
      cancelOrphans: service.cancel_orphans,
    }),
  );
  if (services.at(-1)?.name !== DEFAULT_SERVICE) {
    services.push({
      name: DEFAULT_SERVICE,
      index: services.length,
      match: [],
      pool: effectivePool(null, defaults.pool),
      timeouts: effectiveTimeouts(null, defaults.timeouts),
      pin: 'allow',
      cancelOrphans: true,
    });
  }
  return services;
}

/** A `Map` cannot be frozen; its values are, and its type lets nobody write to it. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const children = value instanceof Map ? value.values() : Object.values(value);
  for (const child of children) deepFreeze(child);
  return Object.freeze(value);
}
