import { expect, test } from 'vitest';
import { Reloader } from '../../../src/app/reloader.ts';
import { isGood, loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/snapshot.ts';
import { ConfigMeters } from '../../../src/telemetry/meters.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLog } from '../../support/fake-log.ts';

function stage() {
  const file = { text: '' };
  const write = (level: string): void => {
    file.text = `
log: { level: ${level} }
auth: { users: { orders: { password: hunter2 } } }
databases: { shop: { targets: { url: postgres://db1/shop } } }`;
  };
  write('info');
  const readFile = (): string => file.text;
  const loaded = loadConfig('/sluice.yaml', { env: {}, readFile });
  if (!isGood(loaded)) throw new Error(JSON.stringify(loaded.problems));
  const log = new FakeLog();
  const meters = new ConfigMeters();
  const inEffect: Config[] = [];
  const gate: { open: () => void; failure: Error | null } = { open: () => {}, failure: null };
  const reloader = new Reloader({
    loaded,
    broken: null,
    env: {},
    readFile,
    clock: new FakeClock(),
    log,
    meters,
    prepare: async (config) => {
      await new Promise<void>((resolve) => {
        gate.open = resolve;
        if (config.log.level !== 'warn') resolve();
      });
      if (gate.failure !== null) throw gate.failure;
      return () => void inEffect.push(config);
    },
  });
  return { file, write, log, meters, inEffect, gate, reloader };
}

test('a change is prepared, then put into effect as the next generation', async () => {
  const { write, meters, inEffect, reloader } = stage();
  write('debug');
  expect(await reloader.reload('a test')).toBe('applied');
  write('debug');
  expect(await reloader.reload('a test')).toBe('unchanged');
  expect(inEffect.map(({ generation }) => generation)).toEqual([2]);
  expect(meters).toMatchObject({ generation: 2, applied: 1, unchanged: 1, failed: 0 });
});

test('what cannot be prepared changes nothing, and is tried again as a change', async () => {
  const { write, gate, log, meters, inEffect, reloader } = stage();
  write('debug');
  gate.failure = new Error('cannot listen on 127.0.0.1:1');
  expect(await reloader.reload('a test')).toBe('failed');
  expect(inEffect).toEqual([]);
  expect(log.messages('error')).toEqual(['configuration not reloaded']);
  expect(reloader.status).toMatchObject({ generation: 1, problems: [gate.failure.message] });
  gate.failure = null;
  expect(await reloader.reload('a test')).toBe('applied');
  expect(reloader.status).toMatchObject({ generation: 2, problems: [] });
  expect(meters).toMatchObject({ failed: 1, applied: 1, lastSuccessful: true });
});

test('whoever asks while one is running gets one that reads what is there by then', async () => {
  const { write, gate, inEffect, reloader } = stage();
  write('warn');
  const first = reloader.reload('first');
  write('error');
  const second = reloader.reload('second');
  const third = reloader.reload('third');
  expect(third).toBe(second);
  gate.open();
  expect([await first, await second]).toEqual(['applied', 'applied']);
  expect(inEffect.map(({ log }) => log.level)).toEqual(['warn', 'error']);
});

test('a broken file is logged with every problem and without its secrets', async () => {
  const { file, log, reloader } = stage();
  file.text = file.text.replace('hunter2', 'hunter3\n  nonsense: 1').replace('info', 'loud');
  expect(await reloader.reload('a test')).toBe('failed');
  const { problems } = reloader.status;
  expect(problems.length).toBeGreaterThan(0);
  expect(log.lines[0]?.attributes['problems']).toEqual(problems);
  expect(JSON.stringify(log.lines)).not.toContain('hunter3');
});
