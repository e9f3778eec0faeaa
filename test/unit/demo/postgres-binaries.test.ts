import { expect, test } from 'vitest';
import { installedBinaries, packagedBinaries } from '../../../src/demo/postgres-binaries.ts';

test('a package that is not installed is named, with the way to get it', () => {
  expect(() => packagedBinaries('no-such-postgres')).toThrow(
    /npm package no-such-postgres is not installed.*npm ci/,
  );
});

test('a Postgres that is not installed is named, with the way to get it', () => {
  expect(() => installedBinaries('/nowhere/bin', 'Install postgresql-15.')).toThrow(
    'There is no /nowhere/bin/initdb. Install postgresql-15.',
  );
});
