/**
 * From words on a command line to a command and its flags, by the table. What cannot be read is a
 * `UsageError`, whose message says what would have been.
 */
import { parseArgs } from 'node:util';
import { didYouMean } from '../config/suggest.ts';
import {
  type CommandName,
  type CommandSpec,
  commands,
  type FlagSpec,
  LATER_COMMANDS,
} from './commands.ts';

/** The command line cannot be understood; exit code 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** Whose help would say more; null when that is the general one's. */
  readonly command: CommandName | null;

  constructor(message: string, command: CommandName | null = null) {
    super(message);
    this.command = command;
  }
}

export type FlagValues = { readonly [flag: string]: string | number | boolean | null };

export type Invocation =
  | { readonly kind: 'run'; readonly command: CommandName; readonly flags: FlagValues }
  | { readonly kind: 'help'; readonly command: CommandName | null };

export function parseCommandLine(argv: readonly string[]): Invocation {
  const [first, ...rest] = argv;
  if (first === undefined) throw new UsageError('a command is needed');
  if (first === '--help' || first === '-h') return { kind: 'help', command: null };
  if (first === '--version') return { kind: 'run', command: 'version', flags: {} };
  if (first === 'help') {
    return { kind: 'help', command: rest[0] === undefined ? null : commandNamed(rest[0]) };
  }
  const command = commandNamed(first);
  return parseFlags(command, commands[command], rest);
}

function commandNamed(word: string): CommandName {
  if (isCommand(word)) return word;
  if (LATER_COMMANDS.includes(word)) {
    throw new UsageError(`${word} is not available in this version`);
  }
  if (word.startsWith('-')) throw new UsageError(`a command is needed before ${word}`);
  throw new UsageError(`unknown command "${word}"${didYouMean(word, Object.keys(commands))}`);
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}

function parseFlags(command: CommandName, spec: CommandSpec, args: readonly string[]): Invocation {
  const fail = (message: string): never => {
    throw new UsageError(`${command}: ${message}`, command);
  };
  const values: Record<string, string | number | boolean | null> = {};
  for (const [name, flag] of Object.entries(spec.flags)) {
    values[name] = flag.kind === 'none' ? false : null;
  }
  const given = new Set<string>();
  for (const token of tokensOf(spec, args)) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') return fail(`"${token.value}" is one word too many`);
    if (token.name === 'help' || token.name === 'h') return { kind: 'help', command };
    const flag = Object.hasOwn(spec.flags, token.name) ? spec.flags[token.name] : undefined;
    if (flag === undefined) {
      const known = Object.keys(spec.flags).map((name) => `--${name}`);
      return fail(`unknown flag ${token.rawName}${didYouMean(token.rawName, known)}`);
    }
    if (flag.later === true) return fail(`--${token.name} is not available in this version`);
    if (given.has(token.name)) return fail(`--${token.name} is there twice`);
    given.add(token.name);
    values[token.name] = flagValue(token, flag, fail);
  }
  for (const [name, flag] of Object.entries(spec.flags)) {
    if (flag.required === true && !given.has(name)) {
      return fail(`${flagForm(name, flag)} is needed`);
    }
  }
  return { kind: 'run', command, flags: values };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function flagValue(
  token: OptionToken,
  flag: FlagSpec,
  fail: (message: string) => never,
): string | number | boolean {
  const { value } = token;
  if (flag.kind === 'none') {
    return value === undefined ? true : fail(`--${token.name} takes no value`);
  }
  // The next word was taken for a value, but it is another flag.
  const isFlag = token.inlineValue === false && value?.startsWith('-') === true;
  if (value === undefined || value === '' || isFlag) {
    return fail(`${flagForm(token.name, flag)} needs its value`);
  }
  if (flag.kind === 'path') return value;
  const { max = Number.MAX_SAFE_INTEGER } = flag;
  if (!/^\d+$/.test(value) || Number(value) > max) {
    return fail(`"${value}" is not a whole number from 0 to ${max}, which --${token.name} takes`);
  }
  return Number(value);
}

/** `-c, --config FILE` */
export function flagForm(name: string, flag: FlagSpec): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  return `${short}--${name}${flag.placeholder === undefined ? '' : ` ${flag.placeholder}`}`;
}

function tokensOf(spec: CommandSpec, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(spec.flags).map(([name, flag]) => [
      name,
      {
        type: flag.kind === 'none' ? ('boolean' as const) : ('string' as const),
        ...(flag.short === undefined ? {} : { short: flag.short }),
      },
    ]),
  );
  // Not strict: what is wrong is said by us, in the words of the table.
  return parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens;
}
