/**
 * The configuration tests start Sluice with: one listener on a free port, the shared cluster's
 * users, the databases a test names, and whatever else it asks for.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/snapshot.ts';
import type { ServerAddress } from '../../src/demo/connect.ts';
import { TEST_USERS } from './cluster-facts.ts';

/** Keys as in the file; values as YAML has them. */
export interface ConfigTree {
  readonly [key: string]: unknown;
}

export interface SluiceOptions {
  /** Served under their own names; `postgres` is always there. */
  readonly databases?: readonly string[];
  /** `defaults.pool`. */
  readonly pool?: ConfigTree;
  /** `defaults.timeouts`. */
  readonly timeouts?: ConfigTree;
  /** `servers.db.tls`. */
  readonly serverTls?: ConfigTree;
  /** Merged over everything above, maps into maps; lists and values replace. */
  readonly config?: ConfigTree;
}

/** A configuration file's content. JSON is YAML. */
export function sluiceConfigTree(server: ServerAddress, options: SluiceOptions = {}): ConfigTree {
  const names = ['postgres', ...(options.databases ?? [])];
  const base: ConfigTree = {
    listen: [{ host: '127.0.0.1', port: 0 }],
    http: { port: 0 },
    log: { level: 'debug' },
    drain: { ready_off: 'off', transactions: '1s' },
    auth: { users: configUsers(server) },
    servers: {
      db: {
        address: `${server.host}:${server.port}`,
        tls: { mode: 'disable', ...options.serverTls },
      },
    },
    databases: Object.fromEntries(names.map((name) => [name, { targets: [{ server: 'db' }] }])),
    defaults: { pool: { size: 3, ...options.pool }, timeouts: { ...options.timeouts } },
  };
  return merge(base, options.config ?? {});
}

/** As `sluice serve` would load it. */
export function sluiceConfig(server: ServerAddress, options: SluiceOptions = {}): Config {
  const path = join('/', 'sluice.yaml');
  const text = JSON.stringify(sluiceConfigTree(server, options));
  const { config, problems } = loadConfig(path, {
    env: {},
    readFile: (asked) => (asked === path ? text : readFileSync(asked, 'utf8')),
  });
  if (config === null) {
    throw new Error(
      `test configuration:\n${problems.map((each) => JSON.stringify(each)).join('\n')}`,
    );
  }
  return config;
}

/** Everybody who can prove who he is by a password, the superuser included. */
function configUsers(server: ServerAddress): ConfigTree {
  const { scram, md5, cleartext, tlsOnly, trust, rejected } = TEST_USERS;
  const users: Record<string, unknown> = {
    [server.superuser]: { password: server.password },
    // The server does not ask it for a password; Sluice does.
    [trust.user]: { password: 'trust-password' },
  };
  for (const { user, password } of [scram, md5, cleartext, tlsOnly, rejected]) {
    users[user] = { password };
  }
  return users;
}

function merge(base: ConfigTree, over: ConfigTree): ConfigTree {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? merge(below, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
