/** `sluice check`: everything that is wrong with a configuration, or that it is in order. */
import { isGood, type Loaded, loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import type { Config } from '../config/snapshot.ts';
import type { FlagsOf } from './commands.ts';
import { ExitCode } from './exit-codes.ts';
import type { Io } from './run.ts';

export async function check(flags: FlagsOf<'check'>, io: Io): Promise<number> {
  const loaded = loadOrExplain(flags.config, io);
  if (!isGood(loaded)) return ExitCode.Config;
  io.out(`ok: ${summary(loaded.config)}`);
  return ExitCode.Ok;
}

/**
 * What was loaded, after every problem was printed. Warnings are printed in either case.
 * `serve` begins with it too, so that both say the same about a file.
 */
export function loadOrExplain(path: string, io: Io): Loaded {
  const loaded = loadConfig(path, { env: io.env });
  const { problems, warnings } = loaded;
  for (const warning of warnings) io.err(formatProblem(warning, 'warning'));
  for (const problem of problems) io.err(formatProblem(problem, 'error'));
  if (problems.length > 0) io.err(counted(problems.length, 'problem'));
  return loaded;
}

function summary(config: Config): string {
  const targets = [...config.databases.values()].flatMap((database) => database.targets);
  const servers = new Set(targets.map((target) => target.server.name));
  return [
    counted(config.listen.length, 'listener'),
    counted(config.auth.users.size, 'user'),
    `${counted(config.databases.size, 'database')} on ${counted(servers.size, 'server')}`,
    counted(config.services.length, 'service'),
  ].join(', ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
