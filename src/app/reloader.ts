/**
 * Prepare, then commit. A new configuration is read, checked and made ready (ports, certificates)
 * before anything changes; whatever is wrong with it, the old one goes on. One reload at a time:
 * whoever asks while one is running gets the next one, which reads what is there by then.
 */
import type { Change } from '../config/diff.ts';
import { type GoodLoad, isGood, type Loaded, loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import type { Settings } from '../config/schema.ts';
import type { Config } from '../config/snapshot.ts';
import type { Log } from '../telemetry/logger.ts';
import type { ConfigMeters } from '../telemetry/meters.ts';
import type { Clock } from '../util/clock.ts';

export type ReloadResult = 'applied' | 'unchanged' | 'failed';

export interface ReloaderOptions {
  /** What the process was started with. */
  readonly loaded: GoodLoad;
  /** What is wrong with the files, when `loaded` stands in for them. */
  readonly broken: Loaded | null;
  readonly env: { readonly [name: string]: string | undefined };
  readonly readFile?: (path: string) => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: ConfigMeters;
  /** Does all that can fail; what it resolves with does the rest. */
  readonly prepare: (config: Config) => Promise<() => void>;
  /** Called with every configuration that has been put into effect. */
  readonly applied?: (loaded: GoodLoad) => void;
}

/** The state of the configuration, for `/status`. */
export interface ReloadStatus {
  readonly path: string;
  readonly generation: number;
  readonly appliedAt: string;
  readonly lastReload: ReloadResult | null;
  /** Why the last reload failed; empty when it did not. */
  readonly problems: readonly string[];
  /** Keys that were changed and wait for a restart. */
  readonly restartNeeded: readonly string[];
}

export class Reloader {
  readonly #options: ReloaderOptions;
  #settings: Settings;
  #config: Config;
  #files: ReadonlyMap<string, string | null>;
  #running: Promise<ReloadResult> | null = null;
  #next: Promise<ReloadResult> | null = null;
  #lastReload: ReloadResult | null = null;
  #problems: readonly string[] = [];
  #restartNeeded: readonly string[] = [];

  constructor(options: ReloaderOptions) {
    this.#options = options;
    const { config, settings, files } = options.loaded;
    this.#config = config;
    this.#settings = settings;
    this.#files = options.broken?.files ?? files;
    this.#options.meters.generation = config.generation;
    this.#options.meters.appliedAtMs = options.clock.wallMs();
    if (options.broken === null) return;
    this.#lastReload = 'failed';
    this.#problems = options.broken.problems.map((problem) => formatProblem(problem));
    options.meters.reloaded('failed');
    options.log.error('configuration is broken, the last good one is in effect', {
      problems: this.#problems,
    });
  }

  /** Every file the configuration is made of, with a digest of what it said when last read. */
  get files(): ReadonlyMap<string, string | null> {
    return this.#files;
  }

  get status(): ReloadStatus {
    return {
      path: this.#config.path,
      generation: this.#config.generation,
      appliedAt: new Date(this.#options.meters.appliedAtMs).toISOString(),
      lastReload: this.#lastReload,
      problems: this.#problems,
      restartNeeded: this.#restartNeeded,
    };
  }

  /** Never rejects. `cause` is for the log: a signal, a changed file. */
  reload(cause: string): Promise<ReloadResult> {
    if (this.#running === null) return this.#start(cause);
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#start(cause);
    });
    return this.#next;
  }

  #start(cause: string): Promise<ReloadResult> {
    const running = this.#run(cause).then((result) => {
      this.#running = null;
      this.#lastReload = result;
      this.#options.meters.reloaded(result);
      return result;
    });
    this.#running = running;
    return running;
  }

  async #run(cause: string): Promise<ReloadResult> {
    try {
      return await this.#load(cause);
    } catch (error) {
      this.#problems = [error instanceof Error ? error.message : String(error)];
      this.#options.log.error('configuration not reloaded', { cause, error });
      return 'failed';
    }
  }

  async #load(cause: string): Promise<ReloadResult> {
    const { env, readFile, clock, log, meters } = this.#options;
    const loaded = loadConfig(this.#config.path, {
      env,
      ...(readFile === undefined ? {} : { readFile }),
      wallMs: clock.wallMs(),
      generation: this.#config.generation + 1,
      previous: this.#settings,
    });
    if (!isGood(loaded)) {
      // Files that were not reached this time are watched on: one of them may be what is put right.
      this.#files = new Map([...this.#files, ...loaded.files]);
      this.#problems = loaded.problems.map((problem) => formatProblem(problem));
      log.error('configuration not reloaded', { cause, problems: this.#problems });
      return 'failed';
    }
    const { config, settings } = loaded;
    this.#files = loaded.files;
    this.#noteRestarts(loaded.changes);
    const commit = loaded.changes.length === 0 ? null : await this.#options.prepare(config);
    this.#problems = [];
    if (commit === null) {
      log.info('configuration unchanged', { cause, generation: this.#config.generation });
      return 'unchanged';
    }
    commit();
    this.#config = config;
    this.#settings = settings;
    meters.generation = config.generation;
    meters.appliedAtMs = clock.wallMs();
    log.info('configuration reloaded', {
      cause,
      generation: config.generation,
      changes: loaded.changes.map(changeLine),
    });
    for (const warning of loaded.warnings) {
      log.warn('configuration warning', { problem: formatProblem(warning) });
    }
    this.#options.applied?.(loaded);
    return 'applied';
  }

  #noteRestarts(changes: readonly Change[]): void {
    const waiting = changes.filter(({ reload }) => reload === 'restart');
    this.#restartNeeded = waiting.map(({ path }) => path);
    if (waiting.length === 0) return;
    this.#options.log.warn('configuration keys need a restart', {
      changes: waiting.map(changeLine),
    });
  }
}

/** `services[orders].pool.size: 20 -> 40 (now)`. */
function changeLine({ path, before, after, reload }: Change): string {
  return `${path}: ${before} -> ${after} (${reload})`;
}
