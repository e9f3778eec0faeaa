import { afterEach, expect, test, vi } from 'vitest';
import { postgresEnvironment } from '../../../src/demo/child.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('what would change Postgres’s behaviour does not reach it', () => {
  vi.stubEnv('PGDATA', '/somebody/elses');
  vi.stubEnv('PGPORT', '1');
  vi.stubEnv('LC_MESSAGES', 'ko_KR.UTF-8');
  vi.stubEnv('HOME', '/root');
  vi.stubEnv('LD_LIBRARY_PATH', '/opt/lib');
  const environment = postgresEnvironment('/tmp/cluster');
  expect(environment).not.toHaveProperty('PGDATA');
  expect(environment).not.toHaveProperty('PGPORT');
  expect(environment).not.toHaveProperty('LC_MESSAGES');
  expect(environment).toMatchObject({
    HOME: '/tmp/cluster',
    LC_ALL: 'C',
    TZ: 'UTC',
    LD_LIBRARY_PATH: '/opt/lib',
  });
});
