/** A proxy with its log and its configuration file: what `serve` and `demo` start and stop. */
import type { GoodLoad, Loaded } from '../config/load.ts';
import { redacted } from '../config/redact.ts';
import { LogOutput } from '../telemetry/logger.ts';
import { holdProcess, systemClock } from '../util/clock.ts';
import { ConfigWatch } from './config-watch.ts';
import { guardClock } from './guarded-clock.ts';
import { keepLastGood } from './last-good.ts';
import { SluiceProxy } from './proxy.ts';
import { Reloader, type ReloadResult } from './reloader.ts';

export interface RunOptions {
  readonly loaded: GoodLoad;
  readonly version: string;
  readonly env: { readonly [name: string]: string | undefined };
  /** Whether changes of the files are put into effect as they happen. */
  readonly watch: boolean;
  /** Where each configuration that worked is kept; null is nowhere. */
  readonly lastGood: string | null;
  /** What is wrong with the files, when `loaded` is the last good configuration in their place. */
  readonly broken: Loaded | null;
}

export interface RunningProxy {
  readonly port: number;
  readonly httpPort: number;
  /** Reads the files again and puts them into effect, unless something is wrong with them. */
  reload(cause: string): Promise<ReloadResult>;
  /** Lets transactions end, then stops; called again, it stops at once. */
  stop(): Promise<void>;
}

/**
 * Resolves when every port is open. Throws, with nothing left open, when one cannot be: what to do
 * about that is the caller's.
 */
export async function runProxy(options: RunOptions): Promise<RunningProxy> {
  const { config } = options.loaded;
  const output = new LogOutput({
    level: config.log.level,
    format: config.log.format,
    instance: config.fleet.instance,
    clock: systemClock,
    fd: 1,
  });
  const { log } = output;
  log.info('configuration loaded', { path: config.path, generation: config.generation });
  if (log.enabled('debug')) log.debug('configuration', { config: redacted(config) });
  const proxy = new SluiceProxy({
    config,
    clock: guardClock(systemClock, log),
    log,
    version: options.version,
    logLinesDropped: () => output.dropped,
  });
  const reloader = makeReloader(proxy, output, options);
  proxy.configStatus = () => reloader.status;
  try {
    await proxy.start();
  } catch (error) {
    await output.close();
    throw error;
  }
  if (options.broken === null) await keep(options, options.loaded, output);
  const watch = options.watch ? await startWatch(reloader, output) : null;
  return {
    port: proxy.port,
    httpPort: proxy.httpPort,
    reload: (cause) => reloader.reload(cause),
    stop: async () => {
      watch?.stop();
      // The last socket may be gone before the last phase is.
      const hold = holdProcess();
      await proxy.stop();
      await output.close();
      hold.cancel();
    },
  };
}

function makeReloader(proxy: SluiceProxy, output: LogOutput, options: RunOptions): Reloader {
  return new Reloader({
    loaded: options.loaded,
    broken: options.broken,
    env: options.env,
    clock: systemClock,
    log: output.log,
    meters: proxy.metrics.config,
    prepare: async (config) => {
      const commit = await proxy.prepare(config);
      return () => {
        commit();
        output.configure(config.log);
      };
    },
    applied: (loaded) => void keep(options, loaded, output),
  });
}

async function startWatch(reloader: Reloader, output: LogOutput): Promise<ConfigWatch> {
  const watch = new ConfigWatch({
    clock: systemClock,
    log: output.log,
    files: () => reloader.files,
    changed: (path) => reloader.reload(`${path} has changed`),
  });
  await watch.start();
  return watch;
}

async function keep(options: RunOptions, loaded: GoodLoad, output: LogOutput): Promise<void> {
  if (options.lastGood === null) return;
  try {
    await keepLastGood(options.lastGood, loaded);
  } catch (error) {
    output.log.warn('the last good configuration could not be kept', {
      path: options.lastGood,
      error,
    });
  }
}
