/** A proxy with its log: what `serve` and `demo` start and stop. */
import { redacted } from '../config/redact.ts';
import type { Config } from '../config/snapshot.ts';
import { LogOutput } from '../telemetry/logger.ts';
import { holdProcess, systemClock } from '../util/clock.ts';
import { guardClock } from './guarded-clock.ts';
import { SluiceProxy } from './proxy.ts';

export interface RunningProxy {
  readonly port: number;
  readonly httpPort: number;
  /** Lets transactions end, then stops; called again, it stops at once. */
  stop(): Promise<void>;
}

/**
 * Resolves when every port is open. Throws, with nothing left open, when one cannot be: what to do
 * about that is the caller's.
 */
export async function runProxy(config: Config, version: string): Promise<RunningProxy> {
  const output = new LogOutput({
    level: config.log.level,
    format: config.log.format,
    instance: config.fleet.instance,
    clock: systemClock,
    fd: 1,
  });
  output.log.info('configuration loaded', { path: config.path, generation: config.generation });
  if (output.log.enabled('debug')) {
    output.log.debug('configuration', { config: redacted(config) });
  }
  const proxy = new SluiceProxy({
    config,
    clock: guardClock(systemClock, output.log),
    log: output.log,
    version,
    logLinesDropped: () => output.dropped,
  });
  try {
    await proxy.start();
  } catch (error) {
    await output.close();
    throw error;
  }
  return {
    port: proxy.port,
    httpPort: proxy.httpPort,
    stop: async () => {
      // The last socket may be gone before the last phase is.
      const hold = holdProcess();
      await proxy.stop();
      await output.close();
      hold.cancel();
    },
  };
}
