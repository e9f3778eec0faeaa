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
  /** Names in its certificate, if it has shown one that counts. */
  readonly certificates: readonly string[];
}

/** A `ServiceMatch` made ready; null is a key that was not given. */
interface Matcher {
  readonly users: GlobSet | null;
  readonly databases: GlobSet | null;
  readonly listeners: GlobSet | null;
  readonly certs: GlobSet | null;
  readonly clients: NetworkSet | null;
}

interface Rule {
  readonly service: Service;
  readonly matchers: readonly Matcher[];
}

export class Services {
  /** In the order of the file, then those that only old clients still belong to. */
  all: readonly Service[] = [];
  readonly #metrics: Metrics;
  #rules: readonly Rule[] = [];

  constructor(configs: readonly ServiceConfig[], metrics: Metrics) {
    this.#metrics = metrics;
    this.apply(configs);
  }

  /**
   * Services of the same name live on with another configuration. Those that are gone let nobody in
   * any more, and serve the clients they have as before until these leave.
   */
  apply(configs: readonly ServiceConfig[]): void {
    const before = new Map(this.all.map((service) => [service.name, service]));
    const services = configs.map((config) => {
      const service = before.get(config.name);
      before.delete(config.name);
      if (service === undefined) return new Service(config, this.#metrics.service(config.name));
      service.config = config;
      return service;
    });
    this.#rules = services.map((service) => ({
      service,
      matchers: service.config.match.map(compile),
    }));
    this.all = [...services, ...[...before.values()].filter(({ clients }) => clients > 0)];
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
    const last = this.#rules.at(-1);
    assert(last !== undefined, 'a configuration without services');
    return last.service;
  }
}

function compile(match: ServiceMatch): Matcher {
  const globs = (texts: readonly string[] | null) => (texts === null ? null : new GlobSet(texts));
  return {
    users: globs(match.users),
    databases: globs(match.databases),
    listeners: globs(match.listeners),
    certs: globs(match.certs),
    clients: match.clients === null ? null : new NetworkSet(match.clients),
  };
}

/** All keys that were given must hold. */
function holds(matcher: Matcher, identity: ClientIdentity): boolean {
  const { certs } = matcher;
  return (
    (certs === null || identity.certificates.some((name) => certs.has(name))) &&
    (matcher.users?.has(identity.user) ?? true) &&
    (matcher.databases?.has(identity.database) ?? true) &&
    (matcher.listeners?.has(identity.listener) ?? true) &&
    (matcher.clients?.has(identity.address) ?? true)
  );
}
