/** `sluice demo`: a Postgres primary and replica, a shop, and this proxy in front of them. */
import { runProxy } from '../app/run-proxy.ts';
import { isGood } from '../config/load.ts';
import { runDemo } from '../demo/demo.ts';
import { loadOrExplain } from './check.ts';
import type { FlagsOf } from './commands.ts';
import type { Io } from './run.ts';
import { packageVersion } from './version.ts';

export async function demo(flags: FlagsOf<'demo'>, io: Io): Promise<number> {
  const stop = new AbortController();
  process.on('SIGINT', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  const { rows, port, exit } = flags;
  return runDemo(
    { ...(rows === null ? {} : { orders: rows }), ...(port === null ? {} : { port }), exit },
    { print: (line) => io.out(line), signal: stop.signal },
    async (configPath) => {
      const loaded = loadOrExplain(configPath, io);
      if (!isGood(loaded)) throw new Error('the demo has a configuration that is not in order');
      return runProxy({
        loaded,
        version: packageVersion(),
        env: io.env,
        watch: true,
        lastGood: null,
        broken: null,
      });
    },
  );
}
