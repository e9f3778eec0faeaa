/**
 * From a file to a snapshot: parse, read by the table, check together, build. It reads files and
 * nothing else, and gives either a configuration or every reason why not.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { systemClock } from '../util/clock.ts';
import { buildConfig } from './build.ts';
import { checkSettings } from './checks.ts';
import { parseConfigDocument } from './document.ts';
import { reasonOf } from './expand.ts';
import { type Problem, Problems } from './problems.ts';
import { readSettings } from './read.ts';
import type { Config } from './snapshot.ts';

export interface LoadOptions {
  readonly env: { readonly [name: string]: string | undefined };
  /** Throws what node:fs throws. Called for the file itself, secrets and PEM files. */
  readonly readFile?: (path: string) => string;
  /** The date, against which certificates are held. */
  readonly wallMs?: number;
  readonly generation?: number;
}

export interface Loaded {
  /** Null when there are problems. */
  readonly config: Config | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** `path` stands in the problems as it is given here. */
export function loadConfig(path: string, options: LoadOptions): Loaded {
  const { env, readFile = readText, wallMs = systemClock.wallMs(), generation = 1 } = options;
  const problems = new Problems(path);
  const absolute = resolve(path);
  const text = readMain(absolute, readFile, problems);
  const document = text === null ? null : parseConfigDocument(text, problems);
  if (document === null) return failed(problems);
  const surroundings = { env, readFile, folder: dirname(absolute) };
  const settings = readSettings(document, surroundings, problems);
  checkSettings(settings, problems, wallMs);
  if (problems.problems.length > 0) return failed(problems);
  return {
    config: buildConfig(settings, { path: absolute, generation, hostname: hostname() }),
    problems: [],
    warnings: problems.warnings,
  };
}

function failed(problems: Problems): Loaded {
  return { config: null, problems: problems.problems, warnings: problems.warnings };
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
