/** `sluice serve`: runs the proxy until it is told to stop. */
import { loadLastGood } from '../app/last-good.ts';
import { runProxy, type RunningProxy, type RunOptions } from '../app/run-proxy.ts';
import { isGood } from '../config/load.ts';
import { loadOrExplain } from './check.ts';
import type { FlagsOf } from './commands.ts';
import { ExitCode } from './exit-codes.ts';
import type { Io } from './run.ts';
import { packageVersion } from './version.ts';

export async function serve(flags: FlagsOf<'serve'>, io: Io): Promise<number> {
  const found = findConfig(flags, io);
  if (found === null) return ExitCode.Config;
  const signals = new Signals();
  let proxy: RunningProxy;
  try {
    proxy = await runProxy({
      ...found,
      version: packageVersion(),
      env: io.env,
      watch: true,
      lastGood: flags['last-good'],
    });
  } catch (error) {
    io.err(`sluice: ${(error as Error).message}`);
    return ExitCode.Crash;
  }
  await signals.obey(proxy);
  return ExitCode.Ok;
}

/** Caught from the first moment: a signal during the start is obeyed after it. */
class Signals {
  #proxy: RunningProxy | null = null;
  #early: (() => void)[] = [];
  #stopped: () => void = () => {};

  constructor() {
    const on = (signal: NodeJS.Signals, act: (proxy: RunningProxy) => void): void => {
      process.on(signal, () => {
        const proxy = this.#proxy;
        if (proxy === null) this.#early.push(() => act(this.#proxy as RunningProxy));
        else act(proxy);
      });
    };
    const stop = (proxy: RunningProxy): void => void proxy.stop().then(() => this.#stopped());
    on('SIGTERM', stop);
    on('SIGINT', stop);
    on('SIGHUP', (proxy) => void proxy.reload('SIGHUP'));
  }

  /** Resolves when the proxy has been stopped. */
  obey(proxy: RunningProxy): Promise<void> {
    this.#proxy = proxy;
    return new Promise((resolve) => {
      this.#stopped = resolve;
      for (const act of this.#early) act();
    });
  }
}

/** What to start with: the file, or what is kept of an earlier day when the file is broken. */
function findConfig(flags: FlagsOf<'serve'>, io: Io): Pick<RunOptions, 'loaded' | 'broken'> | null {
  const loaded = loadOrExplain(flags.config, io);
  if (isGood(loaded)) return { loaded, broken: null };
  const path = flags['last-good'];
  const kept = path === null ? null : loadLastGood(path, flags.config, io.env);
  if (kept === null || !isGood(kept)) return null;
  io.err('sluice: starting with the last good configuration instead');
  return { loaded: kept, broken: loaded };
}
