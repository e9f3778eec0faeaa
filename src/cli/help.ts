/** `--help`, from the table that parses. */
import { flagForm } from './args.ts';
import { type CommandName, type CommandSpec, commands } from './commands.ts';
import { ExitCode } from './exit-codes.ts';

export function generalHelp(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return [
    'Sluice, a query-governance proxy for Postgres.',
    '',
    'Usage: sluice COMMAND [FLAGS]',
    '',
    'Commands:',
    ...columns(rows),
    '',
    '`sluice COMMAND --help` says more about one of them.',
    '',
    `Exit codes: ${ExitCode.Ok} done, ${ExitCode.Crash} crash, ${ExitCode.Usage} usage, ` +
      `${ExitCode.Config} configuration.`,
  ].join('\n');
}

export function commandHelp(name: CommandName): string {
  const command: CommandSpec = commands[name];
  const flags = Object.entries(command.flags).filter(([, flag]) => flag.later !== true);
  const usage = flags.map(([flagName, flag]) => {
    const dashed = flag.short === undefined ? `--${flagName}` : `-${flag.short}`;
    const form = flag.placeholder === undefined ? dashed : `${dashed} ${flag.placeholder}`;
    return flag.required === true ? ` ${form}` : ` [${form}]`;
  });
  const rows = flags.map(([flagName, flag]) => {
    const needed = flag.required === true ? ' (needed)' : '';
    return [flagForm(flagName, flag), `${flag.doc}${needed}`] as const;
  });
  return [
    `Usage: sluice ${name}${usage.join('')}`,
    '',
    `${command.summary[0]!.toUpperCase()}${command.summary.slice(1)}.`,
    ...command.details,
    '',
    'Flags:',
    ...columns([...rows, ['-h, --help', 'print this']]),
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
