/**
 * The last configuration that worked, kept for a restart on a night when the files are broken: the
 * main file and every secret and certificate it names, as they were read, in one file that only its
 * owner may read. What came from the environment is not in it, and comes from there again.
 *
 * Where it is kept is said on the command line and not in the configuration, because it is needed
 * exactly when that cannot be read.
 */
import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { digestOf, type GoodLoad, type Loaded, loadConfig } from '../config/load.ts';

const FORMAT = 1;

interface LastGood {
  readonly format: typeof FORMAT;
  /** By absolute path. */
  readonly files: Readonly<Record<string, string>>;
}

/** Does nothing when a file has changed since it was read: a reload is then on its way. */
export async function keepLastGood(path: string, loaded: GoodLoad): Promise<void> {
  const files: Record<string, string> = {};
  for (const [name, digest] of loaded.files) {
    const text = await readFile(name, 'utf8');
    if (digestOf(text) !== digest) return;
    files[name] = text;
  }
  const kept: LastGood = { format: FORMAT, files };
  // Whoever reads it finds the old one or the new one, also after a loss of power.
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(kept));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Null where nothing was kept. `configPath` is the main file as the command line names it. */
export function loadLastGood(
  path: string,
  configPath: string,
  env: { readonly [name: string]: string | undefined },
): Loaded | null {
  let kept: LastGood;
  try {
    kept = JSON.parse(readFileSync(path, 'utf8')) as LastGood;
  } catch {
    return null;
  }
  if (kept.format !== FORMAT) return null;
  return loadConfig(configPath, {
    env,
    readFile: (name) => {
      const text = kept.files[name];
      if (text === undefined) throw Object.assign(new Error('not kept'), { code: 'ENOENT' });
      return text;
    },
  });
}
