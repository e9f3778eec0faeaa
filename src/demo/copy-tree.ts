/** Copies a folder, links as links, and gives the copy to an account. */
import { chmod, copyFile, lchown, mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';

export interface CopyTreeOptions {
  /** Who owns the copy; null leaves it with us. */
  readonly owner: Account | null;
  /** Left out: names at any depth. */
  readonly skip?: (name: string) => boolean;
}

/**
 * `to` must not exist yet. Permissions are kept and widened for the owner, who must be able to read
 * every file: a source written under `umask 077` by root would otherwise be a copy nobody can use.
 */
export async function copyTree(from: string, to: string, options: CopyTreeOptions): Promise<void> {
  const { owner, skip } = options;
  const mode = (await stat(from)).mode & 0o777;
  await mkdir(to, { mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (skip?.(entry.name)) continue;
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      await copyTree(source, target, options);
    } else if (entry.isSymbolicLink()) {
      await symlink(await readlink(source), target);
      if (owner !== null) await lchown(target, owner.uid, owner.gid);
    } else if (entry.isFile()) {
      await copyFile(source, target);
      await chmod(target, ((await stat(source)).mode & 0o777) | 0o400);
      if (owner !== null) await lchown(target, owner.uid, owner.gid);
    }
  }
  await chmod(to, mode | 0o700);
  if (owner !== null) await lchown(to, owner.uid, owner.gid);
}
