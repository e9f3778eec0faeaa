/** Which service a client belongs to: fixed at login, by who it is and where it came in. */
import type { ServiceConfig, ServiceMatch } from '../config/snapshot.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { assert } from '../util/assert.ts';
import { GlobSet } from '../util/globs.ts';
import { NetworkSet } from '../util/networks.ts';
import { Service } from './service.ts';

/** What is known of a client by proof, not by its own claim. */
export interface ClientIdentity {
  readonly user: string;
  readonly database: string;
  /** The listener's `host:port` as configured. */
  readonly listener: string;
  /** A listener that belongs to a service decides alone. */
  readonly listenerService: string | null;
  readonly address: string;
}

/** A `ServiceMatch` made ready; null is a key that was not given. */
interface Matcher {
  readonly users: GlobSet | null;
  readonly databases: GlobSet | null;
  readonly listeners: GlobSet | null;
  readonly clients: NetworkSet | null;
}

interface Rule {
  readonly service: Service;
  readonly matchers: readonly Matcher[];
}

export class Services {
  readonly all: readonly Service[];
  readonly #rules: readonly Rule[];

  constructor(configs: readonly ServiceConfig[], metrics: Metrics) {
    this.all = configs.map((config) => new Service(config, metrics.service(config.name)));
    this.#rules = this.all.map((service) => ({
      service,
      matchers: service.config.match.map(compile),
    }));
  }

  /** The first that matches; the last one matches everybody. */
  find(identity: ClientIdentity): Service {
    for (const rule of this.#rules) {
      if (identity.listenerService !== null) {
        if (rule.service.name === identity.listenerService) return rule.service;
      } else if (rule.matchers.some((matcher) => holds(matcher, identity))) {
        return rule.service;
      }
    }
    const last = this.all.at(-1);
    assert(last !== undefined, 'a configuration without services');
    return last;
  }
}

function compile(match: ServiceMatch): Matcher {
  const globs = (texts: readonly string[] | null) => (texts === null ? null : new GlobSet(texts));
  return {
    users: globs(match.users),
    databases: globs(match.databases),
    listeners: globs(match.listeners),
    clients: match.clients === null ? null : new NetworkSet(match.clients),
  };
}

/** All keys that were given must hold. */
function holds(matcher: Matcher, identity: ClientIdentity): boolean {
  return (
    (matcher.users?.has(identity.user) ?? true) &&
    (matcher.databases?.has(identity.database) ?? true) &&
    (matcher.listeners?.has(identity.listener) ?? true) &&
    (matcher.clients?.has(identity.address) ?? true)
  );
}
