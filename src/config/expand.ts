/**
 * Where a value's text comes from: the file itself, the environment (`${NAME}`, anywhere in a
 * value), or another file (`file:path` for secrets, a path for PEM files; relative paths are
 * relative to the configuration's folder). What comes from the environment or from a file is taken
 * as it is and not looked into again, so that a password may contain `${`. In the file itself `$${`
 * stands for `${`.
 */
import { resolve } from 'node:path';
import type { Source } from './value-type.ts';

export interface Surroundings {
  readonly env: { readonly [name: string]: string | undefined };
  /** Throws what node:fs throws. */
  readonly readFile: (path: string) => string;
  /** The folder that relative paths start from. */
  readonly folder: string;
}

/** The text cannot be had. The message names a variable or a path, never what is in them. */
export class SourceMissing extends Error {
  override readonly name = 'SourceMissing';
}

const FILE_PREFIX = 'file:';
const PEM_PREFIX = '-----BEGIN';

export function expand(written: string, source: Source, surroundings: Surroundings): string {
  if (written.startsWith(FILE_PREFIX)) {
    if (source === 'text') throw new SourceMissing('file: is read for secrets and PEM files only');
    return readText(fromEnvironment(written.slice(FILE_PREFIX.length), surroundings), surroundings);
  }
  const text = fromEnvironment(written, surroundings);
  if (source === 'file') return readText(text, surroundings);
  if (source !== 'pem' || text.startsWith(PEM_PREFIX)) return text;
  return readText(text, surroundings);
}

/** Where the text of a `file` is, as it is written: absolute if it was. */
export function pathOf(written: string, surroundings: Surroundings): string {
  const path = written.startsWith(FILE_PREFIX) ? written.slice(FILE_PREFIX.length) : written;
  return fromEnvironment(path, surroundings);
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

function fromEnvironment(text: string, surroundings: Surroundings): string {
  return text.replace(REFERENCE, (whole, name: string | undefined, end: string | undefined) => {
    if (whole === '$${') return '${';
    if (name === undefined || end === '' || !VARIABLE.test(name)) {
      throw new SourceMissing(
        `\${ begins the name of an environment variable, as in \${PGPASSWORD}; $\${ stands for \${`,
      );
    }
    const value = Object.hasOwn(surroundings.env, name) ? surroundings.env[name] : undefined;
    if (value === undefined) throw new SourceMissing(`the environment variable ${name} is not set`);
    return value;
  });
}

/** Editors end a file with a newline that is not part of the secret; one such is taken away. */
function readText(path: string, surroundings: Surroundings): string {
  const absolute = resolve(surroundings.folder, path);
  try {
    return surroundings.readFile(absolute).replace(/\r?\n$/, '');
  } catch (error) {
    throw new SourceMissing(`the file ${absolute} cannot be read: ${reasonOf(error)}`);
  }
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
  return REASONS[code] ?? code;
}
