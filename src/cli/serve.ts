/** `sluice serve`: runs the proxy until it is told to stop. */
import { runProxy } from '../app/run-proxy.ts';
import { loadOrExplain } from './check.ts';
import type { FlagsOf } from './commands.ts';
import { ExitCode } from './exit-codes.ts';
import type { Io } from './run.ts';
import { packageVersion } from './version.ts';

export async function serve(flags: FlagsOf<'serve'>, io: Io): Promise<number> {
  const config = loadOrExplain(flags.config, io);
  if (config === null) return ExitCode.Config;
  let proxy: Awaited<ReturnType<typeof runProxy>>;
  try {
    proxy = await runProxy(config, packageVersion());
  } catch (error) {
    io.err(`sluice: ${(error as Error).message}`);
    return ExitCode.Crash;
  }
  await new Promise<void>((resolve) => {
    const stop = (): void => void proxy.stop().then(resolve);
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
  return ExitCode.Ok;
}
