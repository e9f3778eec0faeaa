import { expect, test } from 'vitest';
import { formatProblem, itemPath, keyPath, Problems } from '../../../src/config/problems.ts';
import { didYouMean, nearest } from '../../../src/config/suggest.ts';

test('paths read as they would be typed, and odd names are quoted', () => {
  expect(keyPath('', 'listen')).toBe('listen');
  expect(keyPath(itemPath('listen', 0), 'tls')).toBe('listen[0].tls');
  expect(keyPath('auth.users', 'a.b "c"')).toBe('auth.users."a.b \\"c\\""');
});

test('a problem is where its key is, or the nearest one above it', () => {
  const problems = new Problems('sluice.yaml');
  problems.place('auth.users."a.b"', { line: 3, column: 5 });
  problems.add('auth.users."a.b".databases[2]', 'no');
  problems.add('services', 'no');
  expect(problems.problems.map((problem) => formatProblem(problem))).toEqual([
    'sluice.yaml: services: no',
    'sluice.yaml:3:5: auth.users."a.b".databases[2]: no',
  ]);
});

test('what is part of something wrong gets no problem of its own', () => {
  const problems = new Problems('sluice.yaml');
  problems.add('auth.users."a.b"', 'first');
  problems.add('auth.users."a.b".password[0]', 'second');
  problems.warn('auth.users."a.b".password', 'third');
  problems.add('auth.users.a', 'fourth');
  expect(problems.problems.map(({ message }) => message)).toEqual(['first', 'fourth']);
  expect(problems.warnings).toEqual([]);
});

test('what has something wrong in it is doubtful, what is only named alike is not', () => {
  const problems = new Problems('sluice.yaml');
  problems.add('services[1].pool.size', 'no');
  expect(problems.isDoubtful('services[1].pool')).toBe(true);
  expect(problems.isDoubtful('services[1]')).toBe(true);
  expect(problems.isDoubtful('services[1].pool.size.primary')).toBe(true);
  expect(problems.isDoubtful('services[10]')).toBe(false);
  expect(problems.isDoubtful('services[1].poo')).toBe(false);
  expect(problems.isWrong('services[1].pool')).toBe(false);
});

test.each([
  ['lisen', 'listen'],
  ['queue_timout', 'queue_timeout'],
  ['Listen', 'listen'],
  ['lsiten', 'listen'],
  ['pol', 'pool'],
  ['pl', null],
  ['listeners', null],
  ['', null],
])('%j is meant to be %j', (word, expected) => {
  expect(nearest(word, ['pool', 'listen', 'queue_timeout'])).toBe(expected);
});

test('a suggestion is made only where there is one', () => {
  expect(didYouMean('lisen', ['listen'])).toBe(' (did you mean "listen"?)');
  expect(didYouMean('xyzzy', ['listen'])).toBe('');
});
