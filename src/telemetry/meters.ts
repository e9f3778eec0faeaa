/**
 * What is counted, as plain fields: a counter on the hot path is one addition to a field of a
 * record the session already holds. Nothing here knows Prometheus; `metrics.ts` reads the fields
 * when somebody scrapes.
 *
 * Meters live as long as the process, also when a reload takes their service away: a counter that
 * vanishes and comes back at zero would look like a restart.
 *
 * Budget: 0 allocations per count. The methods (errors, refusals, pins) look up a map and are for
 * events that are rare, or that have just cost much more than that.
 */
import { DurationHistogram } from './histogram.ts';

/** One service. Also what happens before the service is known, under the name ''. */
export class ServiceMeters {
  readonly service: string;
  /** Statements answered, by protocol and by whether the answer was an error. */
  simpleOk: number;
  simpleFailed: number;
  extendedOk: number;
  extendedFailed: number;
  bytesFromClients: number;
  bytesToClients: number;
  loginsOk: number;
  loginsFailed: number;
  /** Running statements cancelled because their client had vanished. */
  orphansCancelled: number;
  /** Servers lost while it was not known whether something had been committed. */
  doubts: number;
  /** A named statement that the leased server had already prepared, or had not. */
  preparedHits: number;
  preparedMisses: number;
  /** Waiting for a server; a lease that did not wait counts as zero. */
  readonly wait: DurationHistogram;
  /** From the first byte sent to the server to the last byte of its answer. */
  readonly query: DurationHistogram;
  /** How long a server was held. */
  readonly lease: DurationHistogram;
  /** By `class fault`, by code and by reason; all three sets are bounded by tables. */
  readonly errors: Map<string, number>;
  readonly refusals: Map<string, number>;
  readonly pins: Map<string, number>;

  constructor(service: string) {
    this.service = service;
    this.simpleOk = 0;
    this.simpleFailed = 0;
    this.extendedOk = 0;
    this.extendedFailed = 0;
    this.bytesFromClients = 0;
    this.bytesToClients = 0;
    this.loginsOk = 0;
    this.loginsFailed = 0;
    this.orphansCancelled = 0;
    this.doubts = 0;
    this.preparedHits = 0;
    this.preparedMisses = 0;
    this.wait = new DurationHistogram();
    this.query = new DurationHistogram();
    this.lease = new DurationHistogram();
    this.errors = new Map();
    this.refusals = new Map();
    this.pins = new Map();
  }

  /** An error the client received, whoever made it. Class and fault come from `errors/sqlstate`. */
  error(sqlstateClass: string, fault: string): void {
    add(this.errors, `${sqlstateClass} ${fault}`);
  }

  /** An error Sluice itself answered with; to be counted by `error` as well. */
  refusal(code: string): void {
    add(this.refusals, code);
  }

  pin(reason: string): void {
    add(this.pins, reason);
  }
}

/** The servers of one service on one target of one database. */
export class TargetMeters {
  readonly service: string;
  readonly database: string;
  readonly target: string;
  connects: number;
  connectFailures: number;
  /** Servers that went away without being asked to. */
  lost: number;
  /** From dialling to the first ReadyForQuery; only connects that succeeded. */
  readonly connect: DurationHistogram;

  constructor(service: string, database: string, target: string) {
    this.service = service;
    this.database = database;
    this.target = target;
    this.connects = 0;
    this.connectFailures = 0;
    this.lost = 0;
    this.connect = new DurationHistogram();
  }
}

/** What has become of the configuration file. */
export class ConfigMeters {
  generation: number;
  /** By the machine's date; 0 before the first. */
  appliedAtMs: number;
  applied: number;
  unchanged: number;
  failed: number;
  lastSuccessful: boolean;

  constructor() {
    this.generation = 0;
    this.appliedAtMs = 0;
    this.applied = 0;
    this.unchanged = 0;
    this.failed = 0;
    this.lastSuccessful = true;
  }

  reloaded(result: 'applied' | 'unchanged' | 'failed'): void {
    this[result]++;
    this.lastSuccessful = result !== 'failed';
  }
}

/** What belongs to no service. */
export class ProcessMeters {
  connectionsAccepted: number;
  /** Cancel requests that reached a server, and those whose key or moment did not fit. */
  cancelsSent: number;
  cancelsIgnored: number;

  constructor() {
    this.connectionsAccepted = 0;
    this.cancelsSent = 0;
    this.cancelsIgnored = 0;
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
