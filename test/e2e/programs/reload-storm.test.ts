/**
 * A configuration file that changes several times a second under pgbench: sizes, modes, addresses,
 * TLS, services, passwords, and now and then something broken. Not one transaction fails.
 */
import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import {
  dropDatabase,
  eventually,
  freshDatabase,
  pgbench,
  sharedCluster,
} from '../../support/cluster.ts';
import { fuzzSeed, Random } from '../../support/random.ts';
import {
  type ConfigTree,
  type SluiceOptions,
  sluiceConfigTree,
} from '../../support/sluice-config.ts';
import { type SluiceProcess, startSluiceProcess } from '../../support/sluice-process.ts';

const SECONDS = 10;
const RELOADS_AT_LEAST = 20;

let running: SluiceProcess | null = null;
afterEach(async () => {
  await running?.stop();
  running = null;
});

const seed = fuzzSeed();

test(`pgbench does not notice (FUZZ_SEED=${seed})`, async () => {
  const database = await freshDatabase('storm');
  const { primary } = sharedCluster();
  const { superuser: user, password } = primary;
  const random = new Random(seed);
  const base: SluiceOptions = { databases: [database], pool: { size: 10 } };
  const sluice = await startSluiceProcess(sharedCluster(), base);
  running = sluice;
  const next = (): string => {
    if (random.below(6) === 0) return 'nonsense: [';
    const size = 9 + random.below(8);
    const host = random.below(2) === 0 ? '127.0.0.1' : 'localhost';
    const mode = random.below(3) === 0 ? 'allow' : 'disable';
    const services: ConfigTree[] = random.below(2) === 0 ? [] : [{ name: 'bench', pool: { size } }];
    const users = { [user]: { password: random.below(2) === 0 ? password : [password, 'other'] } };
    const tree = sluiceConfigTree(primary, {
      ...base,
      pool: { size },
      config: {
        servers: { db: { address: `${host}:${primary.port}`, tls: { mode } } },
        services: services.map((service) => ({ ...service, match: { users: user } })),
        auth: { users },
      },
    });
    return JSON.stringify(tree);
  };
  const target = { host: '127.0.0.1', port: sluice.port, user, password, database };
  const prepared = await pgbench({ ...primary, user, password, database }, ['-i']);
  expect(prepared.code).toBe(0);
  let over = false;
  const load = Promise.all([
    pgbench(target, ['-n', '-c', '4', '-M', 'prepared', '-T', String(SECONDS)]),
    pgbench(target, ['-n', '-c', '2', '-C', '-S', '-T', String(SECONDS)]),
  ]).finally(() => {
    over = true;
  });
  let reloads = 0;
  const applied = (): number =>
    sluice.logLines.filter(({ message }) => message.startsWith('configuration ')).length;
  while (!over) {
    const before = applied();
    writeFileSync(sluice.configPath, next());
    sluice.kill('SIGHUP');
    await eventually('it is read', () => over || applied() > before);
    reloads++;
  }
  for (const { code, output } of await load) {
    expect(output).not.toMatch(/error|FATAL|aborted/i);
    expect(output).toMatch(/number of failed transactions: 0 /);
    expect(code).toBe(0);
  }
  expect(reloads).toBeGreaterThan(RELOADS_AT_LEAST);
  await dropDatabase(database);
});
