import { expect, test } from 'vitest';
import { staleDocuments } from '../../deploy/docs/generate.ts';
import { textFiles } from './repository.ts';

test('generated documents say what the source says (npm run docs writes them)', () => {
  expect(staleDocuments()).toEqual([]);
});

test('every dependency has its line in CONTRIBUTING.md: why it, and what else was weighed', () => {
  const text = (path: string) => textFiles.find((file) => file.path === path)!.text;
  const manifest = JSON.parse(text('package.json')) as Record<string, Record<string, string>>;
  const packages = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.keys(manifest[kind] ?? {}),
  );
  const rows = text('CONTRIBUTING.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) =>
    Array.from(row.split('|')[1]!.matchAll(/`([^`]+)`/g), (match) => match[1]!),
  );
  expect(packages.filter((name) => !listed.includes(name))).toEqual([]);
});

test('dependencies are pinned to exact versions', () => {
  const manifest = JSON.parse(textFiles.find(({ path }) => path === 'package.json')!.text);
  const versions = Object.entries<string>({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  });
  expect(versions.filter(([, version]) => !/^(npm:.*@)?\d+\.\d+\.\d+/.test(version))).toEqual([]);
});
