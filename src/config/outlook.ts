/**
 * Warnings about what a configuration will do that its author may not have seen: rules that nothing
 * can ever match, and pools that together ask more of a server than it has.
 */
import { GlobSet } from '../util/globs.ts';
import { DEFAULT_SERVICE, effectivePool, hostPort } from './build.ts';
import { itemPath, keyPath, type Problems } from './problems.ts';
import type { Settings } from './schema.ts';

/** Where the names are that each key of a `match` is held against. */
const WHERE = { users: 'auth.users', databases: 'databases', listeners: 'listen' } as const;

type Service = NonNullable<Settings['services']>[number];

export function checkReach(settings: Settings, problems: Problems): void {
  const listeners = settings.listen ?? [];
  const doors = new Set(listeners.map((listener) => listener.service));
  const known = {
    users: [...settings.auth.users.keys()],
    databases: [...settings.databases.keys()],
    listeners: listeners.map((listener) => hostPort(listener.host, listener.port)),
  };
  // Under trust whoever calls himself something is that, so every name may come.
  const usersAreKnown = settings.auth.method !== 'trust';
  for (const [index, service] of (settings.services ?? []).entries()) {
    const path = itemPath('services', index);
    if (problems.isDoubtful(path)) continue;
    const matches = service.match ?? [];
    if (matches.length === 0 && service.name !== DEFAULT_SERVICE && !doors.has(service.name)) {
      problems.warn(path, 'nobody can get into this service: no `match`, and no listener names it');
    }
    for (const [at, match] of matches.entries()) {
      for (const key of ['users', 'databases', 'listeners'] as const) {
        const globs = match[key];
        if (globs === null || (key === 'users' && !usersAreKnown)) continue;
        const set = new GlobSet(globs);
        if (known[key].some((name) => set.has(name))) continue;
        const place = keyPath(itemPath(keyPath(path, 'match'), at), key);
        problems.warn(place, `matches nothing in \`${WHERE[key]}\``);
      }
    }
  }
  const used = new Set<string | null>();
  for (const database of settings.databases.values()) {
    for (const target of database.targets ?? []) used.add(target.server);
  }
  for (const name of settings.servers.keys()) {
    if (!used.has(name)) problems.warn(keyPath('servers', name), 'no database is on this server');
  }
}

/** A service may hold `size` servers on each target of each database its clients can open. */
export function checkCapacity(settings: Settings, problems: Problems): void {
  const services = settings.services ?? [];
  const sizes = services.map((service) => sizeOf(service, settings));
  const impliesDefault = !services.some((service) => service.name === DEFAULT_SERVICE);
  for (const [name, server] of settings.servers) {
    if (server.max_connections === null) continue;
    let wanted = 0;
    for (const [databaseName, database] of settings.databases) {
      const targets = (database.targets ?? []).filter((target) => target.server === name).length;
      for (const [index, service] of services.entries()) {
        if (mayOpen(service, databaseName)) wanted += targets * sizes[index]!;
      }
      if (impliesDefault) wanted += targets * sizeOf(null, settings);
    }
    const available = server.max_connections - server.reserve;
    if (wanted <= available) continue;
    problems.warn(
      keyPath(keyPath('servers', name), 'max_connections'),
      `the pools of all services may come to ${wanted} connections, but the server has ` +
        `${available} for Sluice (${server.max_connections} less ${server.reserve} in reserve)`,
    );
  }
}

function sizeOf(service: Service | null, settings: Settings): number {
  return effectivePool(service === null ? null : service.pool, settings.defaults.pool).size;
}

function mayOpen(service: Service, database: string): boolean {
  if (service.match === null || service.match.length === 0) return true;
  return service.match.some(
    (match) => match.databases === null || new GlobSet(match.databases).has(database),
  );
}
