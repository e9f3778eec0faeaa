/**
 * Four projects over one tree of tests.
 *
 * `fast` opens no socket and starts no process: it is what `npm run check` runs before a commit.
 * The other three run the same files against a real primary and replica, started once per run by
 * their global setup, and differ only in which Postgres that is: `embedded` the newest (what
 * `npm test` uses), `oldest` the oldest supported version, `debian` a distribution's own build.
 * Only `debian` also runs what needs programs from outside of npm; one that is missing fails.
 *
 * Files of a server project run one after the other: they share one cluster, and a test that counts
 * connections or stops a server may do so because nobody else is on it.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const SERVER_TESTS = [
  'test/integration/**/*.pg.test.ts',
  'test/parity/**/*.test.ts',
  'test/e2e/**/*.test.ts',
];

/** Tests with programs of other people's: psql, pgbench, pg_dump, Python and its driver. */
const PROGRAM_TESTS = 'test/e2e/programs/**';

function serverProject(name: string, globalSetup: string, exclude: readonly string[]) {
  return {
    test: {
      name,
      root: ROOT,
      include: SERVER_TESTS,
      exclude: [...exclude],
      globalSetup,
      // Child processes, not threads: a test may change its signal handlers or its memory limit.
      pool: 'forks' as const,
      fileParallelism: false,
      testTimeout: 30_000,
      // Long enough for a hook that starts a cluster of its own on a busy two-core machine.
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  root: ROOT,
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          root: ROOT,
          include: ['test/{unit,conversation,fuzz,arch}/**/*.test.ts'],
          pool: 'threads',
          testTimeout: 10_000,
        },
      },
      serverProject('embedded', 'test/support/global-setup-embedded.ts', [PROGRAM_TESTS]),
      serverProject('debian', 'test/support/global-setup-debian.ts', []),
      serverProject('oldest', 'test/support/global-setup-oldest.ts', [PROGRAM_TESTS]),
    ],
  },
});
