/**
 * What only shows when keys are seen together: names that must exist, sizes that must fit, doors
 * that would stand open. Refused is what cannot work or is not safe; a warning is what can work but
 * is likely not what was meant.
 */
import { isLoopback } from '../util/networks.ts';
import { DEFAULT_SERVICE, effectivePool, hostPort, listenTlsMode } from './build.ts';
import { checkCertificate, checkPair } from './certificates.ts';
import { parseHbaFile } from './hba-file.ts';
import { checkCapacity, checkReach } from './outlook.ts';
import { itemPath, keyPath, type Problems } from './problems.ts';
import { NOT_AVAILABLE } from './read.ts';
import type { Settings } from './schema.ts';
import type { HbaRuleConfig } from './snapshot.ts';
import { didYouMean } from './suggest.ts';
import type { TextFile } from './texts.ts';

/** Names that clients of the console ask for in place of a database. */
const CONSOLE_DATABASES = ['pgbouncer', 'sluice'];

export function checkSettings(settings: Settings, problems: Problems, wallMs: number): void {
  checkListeners(settings, problems, wallMs);
  checkHttp(settings, problems);
  checkAuth(settings, problems);
  checkServers(settings, problems, wallMs);
  checkDatabases(settings, problems);
  checkServices(settings, problems);
  checkReach(settings, problems);
  checkCapacity(settings, problems);
}

function checkListeners(settings: Settings, problems: Problems, wallMs: number): void {
  const listeners = settings.listen ?? [];
  if (listeners.length === 0) problems.add('listen', 'needs at least one listener');
  const services = serviceNames(settings);
  const seen = new Set<string>();
  for (const [index, listener] of listeners.entries()) {
    const path = itemPath('listen', index);
    const name = hostPort(listener.host, listener.port);
    if (!problems.isDoubtful(path) && listener.port !== 0) {
      if (seen.has(name)) problems.add(path, `listens on ${name}, as an earlier one does`);
      seen.add(name);
    }
    if (listener.service !== null && !services.has(listener.service)) {
      problems.add(keyPath(path, 'service'), unknownName('service', listener.service, services));
    }
    const tls = keyPath(path, 'tls');
    checkPair(listener.tls, tls, problems, wallMs);
    if (listener.tls.client_ca !== null) {
      checkCertificate(listener.tls.client_ca, keyPath(tls, 'client_ca'), problems, wallMs);
    }
    const needsPair = listenTlsMode(listener.tls) !== 'disable' && listener.tls.cert === null;
    if (needsPair && !problems.isDoubtful(tls)) {
      problems.add(tls, 'needs `cert` and `key`; write the paths of PEM files');
    }
    checkMethod(settings, listener, path, problems);
    const trusting = settings.auth.method === 'trust' && settings.auth.hba_file === null;
    if (trusting && !settings.auth.allow_trust_on_network) {
      if (!isLoopback(listener.host)) {
        problems.add(
          'auth.method',
          `trust lets anybody in, and ${name} can be reached from other machines; ` +
            'use scram-sha-256, or write `allow_trust_on_network: true` if that is meant',
        );
      }
    }
  }
}

type Listener = NonNullable<Settings['listen']>[number];

function checkMethod(
  settings: Settings,
  listener: Listener,
  path: string,
  problems: Problems,
): void {
  const { method, hba_file: hbaFile } = settings.auth;
  if (method !== 'cert' || hbaFile !== null) return;
  const tls = keyPath(path, 'tls');
  const asks = listenTlsMode(listener.tls) !== 'disable' && listener.tls.client_ca !== null;
  if (!asks && !problems.isDoubtful(tls)) {
    problems.add(tls, 'needs `cert`, `key` and `client_ca` for auth.method cert');
  }
}

function checkHttp(settings: Settings, problems: Problems): void {
  const { host, port, token } = settings.http;
  if (port === null || token !== null || isLoopback(host)) return;
  problems.add(
    'http.host',
    `"${host}" can be reached from other machines, which needs \`token\`; ` +
      'write one, or listen on 127.0.0.1',
  );
}

function checkAuth(settings: Settings, problems: Problems): void {
  const { users, hba_file: hbaFile } = settings.auth;
  const method = hbaFile === null ? settings.auth.method : null;
  const byPassword = method === 'scram-sha-256' || method === 'md5';
  const asked = settings.auth.query.database !== null || problems.isDoubtful('auth.query');
  if (byPassword && users.size === 0 && !asked) {
    problems.add('auth.users', `is needed for ${method}; without users nobody can log in`);
  }
  checkAuthQuery(settings, problems);
  if (hbaFile !== null) checkHba(settings, hbaFile, problems);
  for (const [name, user] of users) {
    const path = keyPath('auth.users', name);
    const hasPassword = (user.password ?? []).length > 0;
    if (byPassword && !hasPassword && !problems.isDoubtful(path)) {
      problems.add(path, 'needs `password`, with which the user logs in');
    }
    const hashed = (user.password ?? []).length > 0 && user.password!.every(isMd5Hash);
    if (method === 'scram-sha-256' && hashed) {
      problems.add(keyPath(path, 'password'), 'is an md5 hash, which lets nobody in by SCRAM');
    }
    for (const [index, database] of (user.databases ?? []).entries()) {
      if (settings.databases.has(database)) continue;
      const at = itemPath(keyPath(path, 'databases'), index);
      problems.add(at, unknownName('database', database, settings.databases.keys()));
    }
  }
}

function isMd5Hash(text: string): boolean {
  return /^md5[0-9a-f]{32}$/.test(text);
}

function checkAuthQuery(settings: Settings, problems: Problems): void {
  const { database, user, password } = settings.auth.query;
  const path = 'auth.query';
  if (database === null) {
    if ((user !== null || password !== null) && !problems.isDoubtful(path)) {
      problems.add(path, 'needs `database`, the one of `databases` that is asked');
    }
    return;
  }
  const asked = settings.databases.get(database);
  if (asked === undefined) {
    const known = settings.databases.keys();
    problems.add(keyPath(path, 'database'), unknownName('database', database, known));
  } else if (user === null && asked.login === 'client' && !problems.isDoubtful(path)) {
    problems.add(
      path,
      'needs `user`, the account that asks; the database has no account of its own',
    );
  }
  if (user === null && password !== null) {
    problems.add(keyPath(path, 'password'), 'needs `user` beside it');
  }
  if (!/\$1(?!\d)/.test(settings.auth.query.sql)) {
    problems.add(keyPath(path, 'sql'), 'has no $1, where the name of the user belongs');
  }
}

function checkHba(settings: Settings, file: TextFile, problems: Problems): void {
  const { rules, problems: found } = parseHbaFile(file.text);
  const at = 'auth.hba_file';
  for (const { line, message } of found) problems.addElsewhere(file.path, line, at, message);
  const asks = (settings.listen ?? []).some((listener) => listener.tls.client_ca !== null);
  for (const { line, method, addresses, encryption } of rules) {
    if (method === 'trust' && !settings.auth.allow_trust_on_network && !isLocal(addresses)) {
      const message =
        'trust lets anybody in from other machines; name loopback addresses only, or write ' +
        '`allow_trust_on_network: true` if that is meant';
      problems.addElsewhere(file.path, line, at, message);
    }
    if (method === 'cert' && !asks) {
      problems.addElsewhere(file.path, line, at, 'cert needs a listener with `tls.client_ca`');
    }
    if (method === 'cert' && encryption !== 'tls') {
      problems.addElsewhere(file.path, line, at, 'cert is for hostssl entries');
    }
  }
  if (rules.length === 0 && found.length === 0) {
    problems.add(at, 'has no entry that lets anybody in');
  }
}

function isLocal(addresses: HbaRuleConfig['addresses']): boolean {
  if (addresses === 'samehost') return true;
  return typeof addresses !== 'string' && addresses.every(isLoopbackNetwork);
}

function isLoopbackNetwork(network: string): boolean {
  const [address = '', bits] = network.split('/');
  return isLoopback(address) && (bits === undefined || Number(bits) >= 8);
}

function checkServers(settings: Settings, problems: Problems, wallMs: number): void {
  for (const [name, server] of settings.servers) {
    const path = keyPath('servers', name);
    const tls = keyPath(path, 'tls');
    checkPair(server.tls, tls, problems, wallMs);
    if (server.tls.ca !== null) {
      const ca = keyPath(tls, 'ca');
      if (!server.tls.mode.startsWith('verify-')) {
        problems.add(ca, 'is only used with `mode: verify-ca` or `mode: verify-full`');
      }
      checkCertificate(server.tls.ca, ca, problems, wallMs);
    }
    const reserve = keyPath(path, 'reserve');
    if (server.max_connections === null) {
      if (server.reserve > 0) problems.add(reserve, 'needs `max_connections` beside it');
    } else if (server.reserve >= server.max_connections) {
      problems.add(reserve, `leaves nothing of max_connections, ${server.max_connections}`);
    }
  }
}

function checkDatabases(settings: Settings, problems: Problems): void {
  if (settings.databases.size === 0) {
    problems.add('databases', 'is needed; name at least one database with its target');
  }
  for (const [name, database] of settings.databases) {
    const path = keyPath('databases', name);
    if (CONSOLE_DATABASES.includes(name)) problems.add(path, 'is kept for the console');
    const targets = database.targets ?? [];
    const list = keyPath(path, 'targets');
    if (targets.length === 0) {
      problems.add(list, 'needs a target, such as { server: db1 } or { url: postgres://db1/shop }');
    }
    for (const [index, target] of targets.entries()) {
      const at = itemPath(list, index);
      if (index > 0 && !problems.isDoubtful(at))
        problems.add(at, `more than one target is ${NOT_AVAILABLE}`);
      checkTarget(settings, target, at, problems);
    }
  }
}

type Database = Settings['databases'] extends ReadonlyMap<string, infer D> ? D : never;
type Target = NonNullable<Database['targets']>[number];

function checkTarget(settings: Settings, target: Target, path: string, problems: Problems): void {
  const { server, url, database } = target;
  if (server === null && url === null) {
    // A url that cannot be read is also null, and then it is not missing.
    if (problems.isWrong(keyPath(path, 'url')) || problems.isWrong(keyPath(path, 'server'))) return;
    problems.add(path, 'needs `server`, one of `servers`, or `url`');
  } else if (server !== null && url !== null) {
    problems.add(keyPath(path, 'url'), 'cannot be beside `server`; one of them has to go');
  } else if (server !== null && !settings.servers.has(server)) {
    const at = keyPath(path, 'server');
    problems.add(at, unknownName('server', server, settings.servers.keys()));
  }
  if (database !== null && url !== null && url.database !== null) {
    problems.add(keyPath(path, 'database'), 'is named by `url` already');
  }
}

function checkServices(settings: Settings, problems: Problems): void {
  const services = settings.services ?? [];
  const { defaults } = settings;
  const base = effectivePool(null, defaults.pool);
  const baseIsClear = !problems.isDoubtful('defaults.pool');
  if (base.min > base.size && baseIsClear) {
    problems.add('defaults.pool.min', `${base.min} is more than the size, ${base.size}`);
  }
  const seen = new Set<string>();
  for (const [index, service] of services.entries()) {
    const path = itemPath('services', index);
    const at = keyPath(path, 'name');
    if (seen.has(service.name)) problems.add(at, `"${service.name}" is the name of another one`);
    if (!problems.isWrong(at)) seen.add(service.name);
    if (service.name === DEFAULT_SERVICE) {
      if (index < services.length - 1) {
        problems.add(at, 'default matches everybody, so it must be the last of the list');
      }
      if (service.match !== null) {
        problems.add(keyPath(path, 'match'), 'default matches everybody; leave it out');
      }
    }
    const { min, size } = effectivePool(service.pool, defaults.pool);
    const pool = keyPath(path, 'pool');
    if (min > size && baseIsClear && !problems.isDoubtful(pool)) {
      const key = keyPath(pool, service.pool.min === null ? 'size' : 'min');
      problems.add(key, `the pool's min, ${min}, is more than its size, ${size}`);
    }
  }
}

function serviceNames(settings: Settings): Set<string> {
  return new Set([...(settings.services ?? []).map((service) => service.name), DEFAULT_SERVICE]);
}

function unknownName(what: string, name: string, known: Iterable<string>): string {
  const names = [...known];
  const suggestion = didYouMean(name, names);
  if (suggestion !== '') return `there is no ${what} "${name}"${suggestion}`;
  const all = names.length === 0 ? 'none' : names.join(', ');
  return `there is no ${what} "${name}"; there are ${all}`;
}
