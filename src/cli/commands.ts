/**
 * Every command and flag, as data. What parses, what `--help` prints, and the types that the
 * commands' functions are handed all come from this table.
 */

/** What may stand behind a flag; `none` makes the flag a yes or no. */
export type FlagKind = 'none' | 'path' | 'number';

export interface FlagSpec {
  readonly kind: FlagKind;
  readonly short?: string;
  /** What stands for the value in the help. */
  readonly placeholder?: string;
  readonly doc: string;
  readonly required?: boolean;
  readonly max?: number;
  /** The flag is of the contract, but what it asks for is not in this version. */
  readonly later?: boolean;
}

export interface CommandSpec {
  readonly summary: string;
  /** Paragraphs for the command's own help. */
  readonly details: readonly string[];
  readonly flags: { readonly [name: string]: FlagSpec };
}

const config = {
  kind: 'path',
  short: 'c',
  placeholder: 'FILE',
  doc: 'the configuration file',
  required: true,
} as const satisfies FlagSpec;

export const commands = {
  serve: {
    summary: 'run the proxy',
    details: [
      'Runs until SIGTERM or SIGINT: then takes no new clients, lets open transactions end, and stops.',
      'A second SIGTERM or SIGINT stops it at once.',
      'SIGHUP reads the configuration again, and so does a change of any of its files.',
    ],
    flags: {
      config,
      'last-good': {
        kind: 'path',
        placeholder: 'FILE',
        doc: 'keep the last configuration that worked; start with it if the file is broken',
      },
    },
  },
  check: {
    summary: 'say whether a configuration file is in order',
    details: [
      'Prints every problem with its place in the file. Exit code 0 when there is none, else 78.',
    ],
    flags: {
      config,
      connect: {
        kind: 'none',
        doc: 'also ask the servers what they allow',
        later: true,
      },
    },
  },
  demo: {
    summary: 'start a Postgres primary and replica, a shop, and Sluice in front of them',
    details: ['Everything is gone again when it stops.'],
    flags: {
      rows: {
        kind: 'number',
        placeholder: 'N',
        doc: 'orders in the shop',
        max: 100_000_000,
      },
      port: {
        kind: 'number',
        placeholder: 'PORT',
        doc: 'where Sluice listens; 0 takes any free port',
        max: 65_535,
      },
      exit: { kind: 'none', doc: 'send one query through Sluice, then stop' },
    },
  },
  version: { summary: 'print the version', details: [], flags: {} },
} as const satisfies { readonly [name: string]: CommandSpec };

export type CommandName = keyof typeof commands;

/** Commands of the contract that are not in this version: refused by name, listed nowhere. */
export const LATER_COMMANDS: readonly string[] = ['judge', 'test', 'diff', 'import', 'analytics'];

type FlagValue<F extends FlagSpec> = F['kind'] extends 'none'
  ? boolean
  : F['kind'] extends 'number'
    ? number | null
    : F extends { readonly required: true }
      ? string
      : string | null;

type Flags<C extends CommandName> = (typeof commands)[C]['flags'];

/** The flags of a command as its function gets them. */
export type FlagsOf<C extends CommandName> = {
  readonly [F in keyof Flags<C>]: Flags<C>[F] extends FlagSpec ? FlagValue<Flags<C>[F]> : never;
};
