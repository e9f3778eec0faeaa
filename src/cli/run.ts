/**
 * The command line as a function: words in, exit code out. What the commands do is handed in, so
 * that all of it can be tested without a process.
 */
import { parseCommandLine, UsageError } from './args.ts';
import type { CommandName, FlagsOf } from './commands.ts';
import { ExitCode } from './exit-codes.ts';
import { commandHelp, generalHelp } from './help.ts';

export interface Io {
  /** One line, or several, without the last line feed. */
  out(text: string): void;
  err(text: string): void;
  readonly env: { readonly [name: string]: string | undefined };
}

/** Resolves with the exit code. */
export type Runner<C extends CommandName> = (flags: FlagsOf<C>, io: Io) => Promise<number>;
export type Runners = { readonly [C in CommandName]: Runner<C> };

export async function run(argv: readonly string[], io: Io, runners: Runners): Promise<number> {
  try {
    const invocation = parseCommandLine(argv);
    if (invocation.kind === 'help') {
      io.out(invocation.command === null ? generalHelp() : commandHelp(invocation.command));
      return ExitCode.Ok;
    }
    // The table that parsed the flags is the one their type is made from.
    const runner = runners[invocation.command] as Runner<CommandName>;
    return await runner(invocation.flags as FlagsOf<CommandName>, io);
  } catch (error) {
    if (error instanceof UsageError) {
      const about = error.command === null ? '' : `${error.command} `;
      io.err(`sluice: ${error.message}\nTry \`sluice ${about}--help\`.`);
      return ExitCode.Usage;
    }
    io.err(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return ExitCode.Crash;
  }
}
