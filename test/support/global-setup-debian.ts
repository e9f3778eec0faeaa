/** A distribution's own build: Debian 12's Postgres 15, with its patches and its OpenSSL. */
import type { TestProject } from 'vitest/node';
import { installedBinaries } from '../../src/demo/postgres-binaries.ts';
import { shareCluster } from './global-setup.ts';

const BIN_DIR = '/usr/lib/postgresql/15/bin';

export function setup(project: TestProject): Promise<() => Promise<void>> {
  const howToInstall =
    'These tests need the Debian package postgresql-15 (apt-get install postgresql-15); ' +
    'without it they fail rather than pass unseen.';
  return shareCluster(project, installedBinaries(BIN_DIR, howToInstall));
}
