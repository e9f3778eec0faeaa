/** What nobody uses is deleted, not kept for later. */
import { expect, test } from 'vitest';
import { catalog } from '../../src/errors/catalog.ts';
import { DurationHistogram } from '../../src/telemetry/histogram.ts';
import { ProcessMeters, ServiceMeters, TargetMeters } from '../../src/telemetry/meters.ts';
import { sourceFiles, srcFiles } from './repository.ts';

const exported = /^export\s+(?:async\s+)?(?:const|let|function\*?|class)\s+([A-Za-z_$][\w$]*)/gm;

test('every exported value is imported somewhere, if only by a test', () => {
  const imported = new Set(
    sourceFiles.flatMap((file) =>
      file.imports.flatMap(({ path, names }) => names.map((name) => `${path} ${name}`)),
    ),
  );
  const wholesale = new Set(
    sourceFiles.flatMap((file) =>
      file.imports.flatMap(({ path, names }) =>
        names.length === 0 || names.some((name) => name.startsWith('*')) ? [path] : [],
      ),
    ),
  );
  const dead = srcFiles
    .filter(({ path }) => !wholesale.has(path))
    .flatMap(({ path, code }) =>
      Array.from(code.matchAll(exported), (match) => `${path} ${match[1]}`),
    )
    .filter((name) => !imported.has(name));
  expect(dead).toEqual([]);
});

/** A codec is whole or it is wrong: it also has what only tests and traces say so far. */
const mayWait = (path: string) => path.startsWith('src/wire/');

test('every file of src is reached from main.ts', () => {
  const byPath = new Map(srcFiles.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { path: next } of byPath.get(path)?.imports ?? []) if (next !== null) visit(next);
  };
  visit('src/main.ts');
  const paths = srcFiles.map(({ path }) => path);
  expect(paths.filter((path) => !reached.has(path) && !mayWait(path))).toEqual([]);
});

test('every error of the catalog is raised somewhere', () => {
  const raising = srcFiles.filter(({ path }) => path !== 'src/errors/catalog.ts');
  const unraised = Object.keys(catalog).filter(
    (code) => !raising.some(({ text }) => text.includes(`'${code}'`)),
  );
  expect(unraised).toEqual([]);
});

test('every meter is counted by somebody outside telemetry', () => {
  const counting = srcFiles.filter(({ path }) => !path.startsWith('src/telemetry/'));
  const isCounted = (how: string) => counting.some(({ code }) => code.includes(how));
  const records = [new ServiceMeters(''), new TargetMeters('', '', ''), new ProcessMeters()];
  const uncounted = records.flatMap((record) =>
    Object.entries(record)
      .filter(([field, value]) => !waysToCount(field, value).some(isCounted))
      .map(([field]) => `${record.constructor.name}.${field}`),
  );
  expect(uncounted).toEqual([]);
});

function waysToCount(field: string, value: unknown): string[] {
  if (value instanceof DurationHistogram) return [`.${field}.observe(`];
  // `errors` is counted by `error(…)`, and so on; what is a string is a label.
  if (value instanceof Map) return [`.${field.replace(/s$/, '')}(`];
  return typeof value === 'number' ? [`.${field}++`, `.${field} += `] : [''];
}
