/**
 * Whole files, good and bad. Beside each stands what Sluice makes of it: the problems and warnings,
 * and of a good file the configuration. After a deliberate change `vitest -u` writes them anew;
 * what it wrote is then read by somebody.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Loaded, loadConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { redacted } from '../../../src/config/redact.ts';

/** Every secret in the cases is this word, wherever it comes from. */
const SECRET = /hunter2|hun|ter2/;
const WALL_MS = Date.parse('2026-01-01T00:00:00Z');
const env = {
  INSTANCE: 'eu-1',
  OLD_PASSWORD: 'hunter2',
  WITH_BRACES: `\${X}`,
  DB_HOST: 'db1',
  DB_PORT: '5433',
  LOUD: 'hunter2',
  EMPTY: '',
};

function casesOf(folder: 'valid' | 'invalid'): string[] {
  const names = readdirSync(folderPath(folder)).filter((name) => name.endsWith('.yaml'));
  return names.map((name) => basename(name, '.yaml'));
}

function folderPath(folder: string): string {
  return fileURLToPath(new URL(`cases/${folder}/`, import.meta.url));
}

function load(folder: string, name: string): Loaded {
  const text = readFileSync(`${folderPath(folder)}${name}.yaml`, 'utf8');
  return loadConfig(`${name}.yaml`, { env, readFile: () => text, wallMs: WALL_MS });
}

describe('a file that is in order', () => {
  test.each(casesOf('valid'))('%s', async (name) => {
    const { config, problems, warnings } = load('valid', name);
    expect(problems.map((problem) => formatProblem(problem))).toEqual([]);
    const { path, ...rest } = redacted(config!);
    expect(path).toMatch(new RegExp(`^/.*/${name}\\.yaml$`));
    const instance = name === 'everything' ? config!.fleet.instance : '(host name)';
    const shown = { ...rest, fleet: { instance } };
    const text = [
      ...warnings.map((problem) => formatProblem(problem)),
      JSON.stringify(shown, null, 2),
      '',
    ].join('\n');
    expect(text).not.toMatch(SECRET);
    await expect(text).toMatchFileSnapshot(`cases/valid/${name}.txt`);
  });
});

describe('a file with problems', () => {
  test.each(casesOf('invalid'))('%s', async (name) => {
    const { config, problems, warnings } = load('invalid', name);
    expect(config).toBeNull();
    expect(problems).not.toEqual([]);
    const lines = [
      ...problems.map((problem) => formatProblem(problem)),
      ...warnings.map((warning) => formatProblem(warning, 'warning')),
    ];
    const text = `${lines.join('\n')}\n`;
    expect(text).not.toMatch(SECRET);
    await expect(text).toMatchFileSnapshot(`cases/invalid/${name}.txt`);
  });
});
