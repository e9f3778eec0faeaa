/**
 * The walls between the folders of `src/`: who may import whom. The table says what each folder
 * may know; a failure says which folders may know both ends of the import, because that is where
 * the code belongs.
 */
import { describe, expect, test } from 'vitest';
import { occurrences, srcFiles } from './repository.ts';
import type { Import, SourceFile } from './scanner.ts';

const everything = '*';

/**
 * `folder` is all of it; `folder:types` is `import type` from it; a path is that one file.
 * The configuration is known by its types only, which live in `config/snapshot.ts`.
 */
const SNAPSHOT = 'config/snapshot.ts';
const walls: Readonly<Record<string, readonly string[]>> = {
  util: [],
  errors: ['util'],
  telemetry: ['util', 'errors'],
  wire: ['util', 'errors'],
  sql: ['util', 'errors'],
  config: ['util', 'errors'],
  net: ['util', 'errors', 'telemetry'],
  auth: ['util', 'errors', 'wire'],
  backend: ['util', 'errors', 'telemetry', 'wire', 'net', 'auth', SNAPSHOT],
  control: [
    ...['util', 'errors', 'telemetry', 'wire', 'net', 'auth', 'sql', SNAPSHOT, 'backend'],
    ...['governance:types', 'routing:types'],
  ],
  governance: ['util', 'errors', 'telemetry', 'sql', SNAPSHOT],
  routing: ['util', 'errors', 'telemetry', 'sql', SNAPSHOT],
  session: [
    ...['util', 'errors', 'telemetry', 'wire', 'net', 'auth', 'sql', SNAPSHOT],
    ...['backend', 'governance', 'routing'],
  ],
  admin: [
    ...['util', 'errors', 'telemetry', 'wire', 'config', 'session:types', 'backend:types'],
    ...['governance:types', 'routing:types', 'control:types'],
  ],
  demo: ['util', 'errors'],
  app: [everything],
  cli: ['util', 'errors', 'app', 'config', 'sql', 'governance', 'control', 'demo'],
  main: ['cli'],
};

/** Packages and parts of Node that belong to one place. A file is listed by its path. */
const doors: Readonly<Record<string, readonly string[]>> = {
  'node:net': ['net', 'util/networks.ts'],
  'node:tls': ['net'],
  'node:http': ['admin'],
  'node:child_process': ['demo', 'cli'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  yaml: ['config'],
  'lru-cache': ['sql', 'auth', 'backend'],
  pg: ['demo', 'control'],
};

/** What the code may say in one place only, and why. */
const words: readonly { pattern: RegExp; allowed: readonly string[]; why: string }[] = [
  {
    pattern: /(?<![.\w])(setTimeout|setInterval|clearTimeout|clearInterval)\(/g,
    allowed: ['util/clock.ts'],
    why: 'waiting goes through a Clock, so that tests can hold time still',
  },
  {
    pattern: /\bDate\.now\(|\bperformance\.now\(|\bnew Date\(\)|\bhrtime\b/g,
    allowed: ['util/clock.ts'],
    why: 'time comes from a Clock, so that tests can hold it still',
  },
  {
    pattern: /\bprocess\.(exit\(|abort\(|reallyExit)/g,
    allowed: ['main.ts'],
    why: 'only main.ts ends the process; everything else returns or throws',
  },
  {
    pattern: /\bexport\s+default\b/g,
    allowed: [],
    why: 'an export has the name it is imported by',
  },
  {
    pattern: /^export\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from)/gm,
    allowed: [],
    why: 'no barrels: import from the file that has it',
  },
];

const inSrc = (path: string) => path.slice('src/'.length);

/** `src/net/link.ts` → `net`, `src/main.ts` → `main`. */
function folderOf(path: string): string {
  const [folder = ''] = inSrc(path).split('/');
  return folder.replace(/\.ts$/, '');
}

function mayImport(folder: string, { path, typeOnly }: Import): boolean {
  const target = folderOf(path!);
  if (target === folder) return true;
  return (walls[folder] ?? []).some(
    (entry) =>
      entry === everything ||
      entry === target ||
      entry === inSrc(path!) ||
      (typeOnly && entry === `${target}:types`),
  );
}

function isIn(path: string, places: readonly string[]): boolean {
  return places.includes(inSrc(path)) || places.includes(folderOf(path));
}

function advice(file: SourceFile, wall: Import): string {
  const from = folderOf(file.path);
  const to = folderOf(wall.path!);
  const knowsBoth = Object.keys(walls).filter((folder) => {
    const list = walls[folder]!;
    const knows = (other: string) => folder === other || list.includes(other);
    return folder !== from && knows(from) && knows(to);
  });
  const belongs =
    knowsBoth.length === 0 ? 'app' : knowsBoth.filter((folder) => folder !== 'cli').join(', ');
  return (
    `${file.path}:${wall.line} imports ${wall.path}; ${from} may import ` +
    `${walls[from]?.join(', ') || 'nothing'}. What needs both belongs in: ${belongs || 'app'}; ` +
    `or ${from} declares an interface that app plugs in.`
  );
}

describe('walls', () => {
  test('every folder of src has a row in the table', () => {
    const unknown = srcFiles.filter(({ path }) => !(folderOf(path) in walls));
    expect(unknown.map(({ path }) => path)).toEqual([]);
  });

  test('nobody imports through a wall', () => {
    const breaches = srcFiles.flatMap((file) =>
      file.imports
        .filter(({ path }) => path !== null)
        .flatMap((wall) => {
          if (!wall.path!.startsWith('src/')) {
            return [`${file.path}:${wall.line} imports ${wall.path}, which is not in src/`];
          }
          return mayImport(folderOf(file.path), wall) ? [] : [advice(file, wall)];
        }),
    );
    expect(breaches).toEqual([]);
  });

  test('packages and parts of Node are imported in their own place only', () => {
    const breaches = srcFiles.flatMap((file) =>
      file.imports
        .filter(({ from }) => doors[from] !== undefined && !isIn(file.path, doors[from]))
        .map(({ from, line }) => `${file.path}:${line} imports ${from}: ${doors[from]} may`),
    );
    expect(breaches).toEqual([]);
  });

  test.each(words)('$why', ({ pattern, allowed }) => {
    const breaches = srcFiles
      .filter(({ path }) => !allowed.includes(inSrc(path)))
      .flatMap((file) => occurrences(file, pattern));
    expect(breaches).toEqual([]);
  });

  test('imports of values form no circle', () => {
    expect(circles()).toEqual([]);
  });
});

/**
 * Types may go round within a folder: a pool knows its servers and a server its pool. Values may
 * not, because then it would matter which file is loaded first.
 */
function circles(): string[] {
  const importsOf = new Map(
    srcFiles.map((file) => [
      file.path,
      file.imports.flatMap(({ path, typeOnly }) => (typeOnly ? [] : (path ?? []))),
    ]),
  );
  const finished = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push([...trail.slice(start), path].join(' → '));
      return;
    }
    if (finished.has(path)) return;
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of importsOf.keys()) visit(path, []);
  return found;
}
