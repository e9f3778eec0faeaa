/** The newest Postgres, from the npm package the demo uses. */
import type { TestProject } from 'vitest/node';
import { packagedBinaries } from '../../src/demo/postgres-binaries.ts';
import { shareCluster } from './global-setup.ts';

export function setup(project: TestProject): Promise<() => Promise<void>> {
  return shareCluster(project, packagedBinaries());
}
