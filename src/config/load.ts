/**
 * From a file to a snapshot: parse, read by the table, check together, build. It reads files and
 * nothing else, and gives either a configuration or every reason why not.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { systemClock } from '../util/clock.ts';
import { buildConfig } from './build.ts';
import { checkSettings } from './checks.ts';
import { type Change, compareSettings, holdRestartKeys } from './diff.ts';
import { parseConfigDocument } from './document.ts';
import { reasonOf } from './expand.ts';
import { type Problem, Problems } from './problems.ts';
import { readSettings } from './read.ts';
import type { Settings } from './schema.ts';
import type { Config } from './snapshot.ts';

export interface LoadOptions {
  readonly env: { readonly [name: string]: string | undefined };
  /** Throws what node:fs throws. Called for the file itself, secrets and PEM files. */
  readonly readFile?: (path: string) => string;
  /** The date, against which certificates are held. */
  readonly wallMs?: number;
  readonly generation?: number;
  /** What is in effect: keys that need a restart keep it, and `changes` compares with it. */
  readonly previous?: Settings;
}

export interface Loaded {
  /** Null when there are problems. */
  readonly config: Config | null;
  /** What the configuration was built from; null when there are problems. */
  readonly settings: Settings | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What differs from `previous`; empty without one. */
  readonly changes: readonly Change[];
  /** Every file that was asked for, with a digest of what it said; null where it said nothing. */
  readonly files: ReadonlyMap<string, string | null>;
}

/** A load without problems. */
export interface GoodLoad extends Loaded {
  readonly config: Config;
  readonly settings: Settings;
}

export function isGood(loaded: Loaded): loaded is GoodLoad {
  return loaded.config !== null && loaded.settings !== null;
}

/** `path` stands in the problems as it is given here. */
export function loadConfig(path: string, options: LoadOptions): Loaded {
  const { env, readFile = readText, wallMs = systemClock.wallMs(), generation = 1 } = options;
  const problems = new Problems(path);
  const absolute = resolve(path);
  const files = new Map<string, string | null>();
  const read = noting(readFile, files);
  const text = readMain(absolute, read, problems);
  const document = text === null ? null : parseConfigDocument(text, problems);
  if (document === null) return failed(problems, files);
  const surroundings = { env, readFile: read, folder: dirname(absolute) };
  const given = readSettings(document, surroundings, problems);
  checkSettings(given, problems, wallMs);
  if (problems.problems.length > 0) return failed(problems, files);
  const { previous } = options;
  const settings = previous === undefined ? given : holdRestartKeys(previous, given);
  return {
    config: buildConfig(settings, { path: absolute, generation, hostname: hostname() }),
    settings,
    problems: [],
    warnings: problems.warnings,
    changes: previous === undefined ? [] : compareSettings(previous, given),
    files,
  };
}

/** What is kept of a file's text to see whether it has changed. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function failed(problems: Problems, files: ReadonlyMap<string, string | null>): Loaded {
  return {
    config: null,
    settings: null,
    problems: problems.problems,
    warnings: problems.warnings,
    changes: [],
    files,
  };
}

function noting(
  readFile: (path: string) => string,
  files: Map<string, string | null>,
): (path: string) => string {
  return (path) => {
    files.set(path, null);
    const text = readFile(path);
    files.set(path, digestOf(text));
    return text;
  };
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function readMain(
  path: string,
  readFile: (path: string) => string,
  problems: Problems,
): string | null {
  try {
    return readFile(path);
  } catch (error) {
    problems.add('', `cannot be read: ${reasonOf(error)}`);
    return null;
  }
}
