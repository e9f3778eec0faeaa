import { describe, expect, test } from 'vitest';
import { expand, SourceMissing, type Surroundings } from '../../../src/config/expand.ts';

const files: Record<string, string> = {
  '/etc/sluice/secret': 'hunter2\n',
  '/etc/sluice/two-lines': 'hunter2\n\n',
  '/etc/sluice/dos': 'hunter2\r\n',
  '/etc/sluice/dollar': `a\${B}`,
  '/run/x/secret': 'other',
  '/etc/sluice/cert.pem': '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n',
};
const surroundings: Surroundings = {
  env: { A: 'a', B: 'b', EMPTY: '', NESTED: `\${A}`, DIR: '/run/x', PEM: '-----BEGIN X-----' },
  folder: '/etc/sluice',
  readFile(path) {
    const text = files[path];
    if (text !== undefined) return text;
    throw Object.assign(new Error(path), { code: path.includes('locked') ? 'EACCES' : 'ENOENT' });
  },
};

function refusal(text: string, source: 'text' | 'secret' | 'pem'): string {
  try {
    return `accepted: ${expand(text, source, surroundings)}`;
  } catch (error) {
    if (error instanceof SourceMissing) return error.message;
    throw error;
  }
}

describe('the environment', () => {
  test.each([
    ['plain', 'plain'],
    [`\${A}`, 'a'],
    [`x\${A}y\${B}z`, 'xaybz'],
    [`\${EMPTY}`, ''],
    [`$\${A}`, `\${A}`],
    [`$$\${A}`, `$\${A}`],
    ['$A $ {A}', '$A $ {A}'],
    [`\${NESTED}`, `\${A}`],
  ])('%s', (text, expanded) => {
    expect(expand(text, 'text', surroundings)).toBe(expanded);
  });

  test('a variable that is not set is an error, and is named', () => {
    expect(refusal(`\${NOPE}`, 'text')).toBe('the environment variable NOPE is not set');
    expect(refusal(`\${toString}`, 'text')).not.toMatch(/accepted/);
  });

  test.each([`\${`, `\${A`, `\${}`, `\${A B}`, `\${A:-x}`, `\${1}`])(
    '%s is not a variable',
    (text) => {
      expect(refusal(text, 'text')).toMatch(/^\$\{ begins the name of an environment variable/);
    },
  );
});

describe('file:', () => {
  test('a secret is the content of the file without the newline at its end', () => {
    expect(expand('file:secret', 'secret', surroundings)).toBe('hunter2');
    expect(expand('file:dos', 'secret', surroundings)).toBe('hunter2');
    expect(expand('file:two-lines', 'secret', surroundings)).toBe('hunter2\n');
  });

  test('the path may be absolute, and may come from the environment', () => {
    expect(expand('file:/run/x/secret', 'secret', surroundings)).toBe('other');
    expect(expand(`file:\${DIR}/secret`, 'secret', surroundings)).toBe('other');
  });

  test('what is in the file is taken as it is', () => {
    expect(expand('file:dollar', 'secret', surroundings)).toBe(`a\${B}`);
  });

  test('a file that cannot be read is named, with the reason', () => {
    expect(refusal('file:nope', 'secret')).toBe(
      'the file /etc/sluice/nope cannot be read: no such file',
    );
    expect(refusal('file:locked', 'secret')).toBe(
      'the file /etc/sluice/locked cannot be read: permission denied',
    );
  });

  test('only secrets and PEM files are read from files', () => {
    expect(refusal('file:secret', 'text')).toBe('file: is read for secrets and PEM files only');
  });
});

test('a PEM file is a path with or without file:, or the text itself', () => {
  const certificate = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----';
  expect(expand('cert.pem', 'pem', surroundings)).toBe(certificate);
  expect(expand('file:cert.pem', 'pem', surroundings)).toBe(certificate);
  expect(expand(`\${PEM}`, 'pem', surroundings)).toBe('-----BEGIN X-----');
});
