/**
 * Builds what is published: `dist/` with the compiled program, a package.json of its own, the
 * example configuration and the documents that belong to it. `npm run build`.
 *
 * In a clone Node runs the TypeScript as it is written, but it refuses to do so under
 * `node_modules`; hence the compiling, which only strips types and rewrites `.ts` in imports. The
 * tree keeps its shape (`src/x` becomes `lib/x`), so a path relative to a source file means the
 * same before and after.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(root, 'dist');
const documents = ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'config'];
/** The pinned runtime's major; older ones lack what the compiled program uses. */
const ENGINES = '>=24';
const SHEBANG = '#!/usr/bin/env node\n';

function build(): void {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  execFileSync('tsc', ['--project', join(root, 'deploy/package/tsconfig.json')], {
    stdio: 'inherit',
  });
  copyData();
  makeExecutable(join(dist, 'lib/main.js'));
  for (const name of documents) cpSync(join(root, name), join(dist, name), { recursive: true });
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  process.stdout.write(`built dist/, version ${manifest().version}\n`);
}

/** Whatever the program reads beside its code; not the notes for its developers. */
function copyData(): void {
  cpSync(join(root, 'src'), join(dist, 'lib'), {
    recursive: true,
    filter: (path) => !['.ts', '.md'].includes(extname(path)) || basename(path) === 'src',
  });
}

function makeExecutable(path: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(path, SHEBANG + text);
  chmodSync(path, 0o755);
}

/** Runtime dependencies only, at the exact versions that were tested. */
function manifest() {
  const { name, version, description, license, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Manifest;
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    bin: { sluice: 'lib/main.js' },
    engines: { node: ENGINES },
    dependencies,
  };
}

build();
