/**
 * The repository as the tests of its shape see it: every file that belongs to it, source files with
 * their code and their imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lineAt, type SourceFile, sourceFile, type TextFile } from './scanner.ts';

export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** Not part of the repository; the same list as `.gitignore`. */
const ignoredFolders = new Set(['node_modules', 'dist', 'coverage', '.git', '.demo', 'out']);
const textFile = /\.(ts|md|json|yaml|yml|sql|sh|toml|conf|ini|txt)$|(^|\/)(run|LICENSE|\.npmrc)$/;

export const textFiles: readonly TextFile[] = walk(root)
  .map((path) => relative(root, path).replaceAll('\\', '/'))
  .filter((path) => textFile.test(path))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

export const sourceFiles: readonly SourceFile[] = textFiles
  .filter(({ path }) => path.endsWith('.ts'))
  .map(sourceFile);

export const srcFiles: readonly SourceFile[] = sourceFiles.filter(({ path }) =>
  path.startsWith('src/'),
);

/** `path:line`, which editors and terminals make a link of. */
export function at(file: TextFile, offset: number): string {
  return `${file.path}:${lineAt(file.text, offset)}`;
}

/** Where `pattern` matches the code of a file, as `path:line`. The pattern needs the flag g. */
export function occurrences(file: SourceFile, pattern: RegExp): string[] {
  return Array.from(file.code.matchAll(pattern), (match) => at(file, match.index));
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ignoredFolders.has(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}
