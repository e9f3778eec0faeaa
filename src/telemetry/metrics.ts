/**
 * The metrics of one process: hands out the meters that are counted into, and turns them into
 * Prometheus's text when somebody scrapes. Counting is additions to fields (see `meters.ts`);
 * labels are formatted here and only here, so the cost of a label falls on the scrape.
 *
 * prom-client keeps the registry, the text format and the metrics of the Node process; its own
 * Counter and Histogram are not used, because they look their labels up by a formatted string on
 * every increment. A `Reader` takes their place: the registry only ever asks a metric for `get()`.
 */
import { collectDefaultMetrics, type Histogram, Registry } from 'prom-client';
import { boundsSeconds, type DurationHistogram } from './histogram.ts';
import { LoginMeters } from './login-meters.ts';
import { ConfigMeters, ProcessMeters, ServiceMeters, TargetMeters } from './meters.ts';
import { type MetricName, type MetricRow, metricTable } from './metric-table.ts';

/** What is not counted but is simply so at the moment of a scrape. Plugged in with `watch`. */
export interface MetricsView {
  clients(): Iterable<{ service: string; state: string; count: number }>;
  waiting(): Iterable<{ service: string; count: number; oldestMs: number }>;
  servers(): Iterable<{
    service: string;
    database: string;
    target: string;
    state: string;
    count: number;
  }>;
  /** Clients that are logging in, by how far they are. */
  loggingIn(): Iterable<{ phase: string; count: number }>;
  /** TLS handshakes whose turn has not come. */
  handshakesWaiting(): number;
  statementCache(): { hits: number; misses: number };
  logLinesDropped(): number;
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

const nothingToSee: MetricsView = {
  clients: () => [],
  waiting: () => [],
  servers: () => [],
  loggingIn: () => [],
  handshakesWaiting: () => 0,
  statementCache: () => ({ hits: 0, misses: 0 }),
  logLinesDropped: () => 0,
};

export class Metrics {
  readonly process: ProcessMeters = new ProcessMeters();
  readonly config: ConfigMeters = new ConfigMeters();
  readonly logins: LoginMeters = new LoginMeters();
  readonly #registry = new Registry();
  readonly #services = new Map<string, ServiceMeters>();
  readonly #targets = new Map<string, TargetMeters>();
  #view: MetricsView = nothingToSee;

  constructor(info: { readonly version: string; readonly instance: string }) {
    for (const [name, read] of Object.entries(this.#readers(info))) {
      const reader = new Reader(name as MetricName, read);
      this.#registry.registerMetric(reader as unknown as Histogram);
    }
    // process_* and nodejs_* keep the names every dashboard for Node knows.
    collectDefaultMetrics({ register: this.#registry });
  }

  /** The meters of a service; the same ones for the same name. '' is "not known yet". */
  service(name: string): ServiceMeters {
    let meters = this.#services.get(name);
    if (meters === undefined) {
      meters = new ServiceMeters(name);
      this.#services.set(name, meters);
    }
    return meters;
  }

  target(service: string, database: string, target: string): TargetMeters {
    // Names may contain anything but a zero byte.
    const key = `${service}\0${database}\0${target}`;
    let meters = this.#targets.get(key);
    if (meters === undefined) {
      meters = new TargetMeters(service, database, target);
      this.#targets.set(key, meters);
    }
    return meters;
  }

  watch(view: Partial<MetricsView>): void {
    this.#view = { ...this.#view, ...view };
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #readers(info: { version: string; instance: string }): Record<MetricName, () => Sample[]> {
    return {
      sluice_info: () => [{ labels: info, value: 1 }],
      ...this.#viewReaders(),
      ...this.#configReaders(),
      ...this.#processReaders(),
      ...this.#loginReaders(),
      ...this.#serviceReaders(),
      ...this.#targetReaders(),
    };
  }

  #viewReaders() {
    return {
      sluice_clients: () =>
        Array.from(this.#view.clients(), ({ count, ...labels }) => ({ labels, value: count })),
      sluice_clients_waiting: () =>
        Array.from(this.#view.waiting(), ({ service, count }) => ({
          labels: { service },
          value: count,
        })),
      sluice_wait_oldest_seconds: () =>
        Array.from(this.#view.waiting(), ({ service, oldestMs }) => ({
          labels: { service },
          value: oldestMs / 1000,
        })),
      sluice_servers: () =>
        Array.from(this.#view.servers(), ({ count, ...labels }) => ({ labels, value: count })),
      sluice_statement_cache_lookups_total: () => {
        const { hits, misses } = this.#view.statementCache();
        return split('result', { hit: hits, miss: misses });
      },
      sluice_log_lines_dropped_total: () => [{ labels: {}, value: this.#view.logLinesDropped() }],
    };
  }

  #configReaders() {
    const meters = this.config;
    const one = (value: number): Sample[] => [{ labels: {}, value }];
    return {
      sluice_config_generation: () => one(meters.generation),
      sluice_config_applied_timestamp_seconds: () => one(meters.appliedAtMs / 1000),
      sluice_config_reloads_total: () =>
        split('result', {
          applied: meters.applied,
          unchanged: meters.unchanged,
          failed: meters.failed,
        }),
      sluice_config_last_reload_successful: () => one(meters.lastSuccessful ? 1 : 0),
    };
  }

  #processReaders() {
    const meters = this.process;
    return {
      sluice_connections_accepted_total: () => [{ labels: {}, value: meters.connectionsAccepted }],
      sluice_cancels_total: () =>
        split('outcome', { sent: meters.cancelsSent, ignored: meters.cancelsIgnored }),
    };
  }

  #loginReaders() {
    const meters = this.logins;
    return {
      sluice_login_attempts_total: () => [{ labels: {}, value: meters.attempts }],
      sluice_login_failures_total: () => split('reason', Object.fromEntries(meters.failures)),
      sluice_login_seconds: () => buckets('sluice_login_seconds', meters.duration),
      sluice_logins_in_progress: () =>
        Array.from(this.#view.loggingIn(), ({ phase, count }) => ({
          labels: { phase },
          value: count,
        })),
      sluice_tls_handshakes_total: () =>
        split('outcome', { ok: meters.tlsOk, failed: meters.tlsFailed }),
      sluice_tls_handshakes_waiting: () => [{ labels: {}, value: this.#view.handshakesWaiting() }],
      sluice_auth_queries_total: () =>
        split('result', {
          found: meters.lookupsFound,
          unknown: meters.lookupsUnknown,
          failed: meters.lookupsFailed,
          stale: meters.lookupsStale,
        }),
    };
  }

  #serviceReaders() {
    const each = (read: (meters: ServiceMeters) => Sample[]) => () =>
      Array.from(this.#services.values(), (meters) =>
        read(meters).map((sample) => labelled(sample, { service: meters.service })),
      ).flat();
    return {
      sluice_logins_total: each((m) =>
        split('outcome', { ok: m.loginsOk, failed: m.loginsFailed }),
      ),
      sluice_queries_total: each((m) => [
        { labels: { protocol: 'simple', outcome: 'ok' }, value: m.simpleOk },
        { labels: { protocol: 'simple', outcome: 'error' }, value: m.simpleFailed },
        { labels: { protocol: 'extended', outcome: 'ok' }, value: m.extendedOk },
        { labels: { protocol: 'extended', outcome: 'error' }, value: m.extendedFailed },
      ]),
      sluice_query_seconds: each((m) => buckets('sluice_query_seconds', m.query)),
      sluice_wait_seconds: each((m) => buckets('sluice_wait_seconds', m.wait)),
      sluice_lease_seconds: each((m) => buckets('sluice_lease_seconds', m.lease)),
      sluice_errors_total: each((m) =>
        Array.from(m.errors, ([key, value]) => {
          const [sqlstateClass = '', fault = ''] = key.split(' ');
          return { labels: { class: sqlstateClass, fault }, value };
        }),
      ),
      sluice_refusals_total: each((m) => split('code', Object.fromEntries(m.refusals))),
      sluice_bytes_total: each((m) =>
        split('direction', { from_clients: m.bytesFromClients, to_clients: m.bytesToClients }),
      ),
      sluice_orphans_cancelled_total: each((m) => [{ labels: {}, value: m.orphansCancelled }]),
      sluice_doubts_total: each((m) => [{ labels: {}, value: m.doubts }]),
      sluice_pins_total: each((m) => split('reason', Object.fromEntries(m.pins))),
      sluice_prepared_statements_total: each((m) =>
        split('result', { hit: m.preparedHits, miss: m.preparedMisses }),
      ),
    };
  }

  #targetReaders() {
    const each = (read: (meters: TargetMeters) => Sample[]) => () =>
      Array.from(this.#targets.values(), (meters) => {
        const { service, database, target } = meters;
        return read(meters).map((sample) => labelled(sample, { service, database, target }));
      }).flat();
    return {
      sluice_server_connects_total: each((m) =>
        split('outcome', { ok: m.connects, failed: m.connectFailures }),
      ),
      sluice_server_connect_seconds: each((m) =>
        buckets('sluice_server_connect_seconds', m.connect),
      ),
      sluice_servers_lost_total: each((m) => [{ labels: {}, value: m.lost }]),
    };
  }
}

/** The part of prom-client's Metric that its registry uses. */
class Reader {
  readonly name: MetricName;
  readonly help: string;
  readonly type: MetricRow['type'];
  /** How workers' values are put together: all of ours add up. */
  readonly aggregator = 'sum';
  readonly #read: () => Sample[];

  constructor(name: MetricName, read: () => Sample[]) {
    this.name = name;
    this.help = metricTable[name].help;
    this.type = metricTable[name].type;
    this.#read = read;
  }

  async get() {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.#read() };
  }

  /** Counters never go back; the registry offers it, nothing here calls it. */
  reset(): void {}
}

function labelled(sample: Sample, labels: Readonly<Record<string, string>>): Sample {
  return { ...sample, labels: { ...labels, ...sample.labels } };
}

function split(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function buckets(name: string, histogram: DurationHistogram): Sample[] {
  let total = 0;
  const samples: Sample[] = boundsSeconds.map((le, bucket) => {
    total += histogram.counts[bucket]!;
    return { metricName: `${name}_bucket`, labels: { le }, value: total };
  });
  samples.push(
    { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: histogram.count },
    { metricName: `${name}_sum`, labels: {}, value: histogram.sumMs / 1000 },
    { metricName: `${name}_count`, labels: {}, value: histogram.count },
  );
  return samples;
}
