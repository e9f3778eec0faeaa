import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogOptions, LogOutput } from '../../../src/telemetry/logger.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `use` with a log on a file and gives back the lines. */
async function linesOf(
  use: (output: LogOutput) => void,
  options: Partial<LogOptions> = {},
): Promise<string[]> {
  const path = join(folder, 'out.log');
  const fd = openSync(path, 'w');
  const output = new LogOutput({
    level: 'info',
    format: 'json',
    instance: 'a1',
    clock: new FakeClock(),
    fd,
    ...options,
  });
  use(output);
  await output.close();
  closeSync(fd);
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

describe('a log line', () => {
  test('carries level, time, instance, attributes and message', async () => {
    const [line] = await linesOf(({ log }) => log.info('listening', { port: 6432 }));
    expect(JSON.parse(line!)).toEqual({
      level: 'info',
      time: '2026-01-01T00:00:00.000Z',
      instance: 'a1',
      port: 6432,
      message: 'listening',
    });
  });

  test('of a child carries the child’s attributes', async () => {
    const [line] = await linesOf(({ log }) => log.child({ session: 7 }).warn('slow'));
    expect(JSON.parse(line!)).toMatchObject({ level: 'warn', session: 7, message: 'slow' });
  });

  test('below the level is not written, and can be asked about', async () => {
    const lines = await linesOf(({ log }) => {
      log.debug('not seen');
      expect(log.enabled('debug')).toBe(false);
      expect(log.enabled('error')).toBe(true);
    });
    expect(lines).toEqual([]);
  });

  test('shows an error with its stack', async () => {
    const [line] = await linesOf(({ log }) => log.error('failed', { error: new TypeError('no') }));
    const { error } = JSON.parse(line!);
    expect(error).toMatchObject({ type: 'TypeError', message: 'no' });
    expect(error.stack).toContain('logger.test.ts');
  });

  test('never holds a secret', async () => {
    const [line] = await linesOf(({ log }) =>
      log.error('login failed', {
        password: 'hunter2',
        user: { name: 'orders', secret: 'hunter2' },
        url: 'postgres://orders:hunter2@db1:5432/shop',
        error: new Error('no route to postgres://orders:hunter2@db1/shop'),
      }),
    );
    expect(line).not.toContain('hunter2');
    expect(line).toContain('postgres://orders:[redacted]@db1:5432/shop');
  });
});

describe('pretty', () => {
  test('is one short line, and what is censored stays censored', async () => {
    const lines = await linesOf(
      ({ log }) => log.info('listening', { host: '::1', text: 'a b', list: [1], token: 'x' }),
      { format: 'pretty', instance: null },
    );
    expect(lines).toEqual([
      '00:00:00.000 INFO  listening host=::1 text="a b" list=[1] token=[redacted]',
    ]);
  });

  test('puts the stack below', async () => {
    const lines = await linesOf(({ log }) => log.error('failed', { error: new Error('no') }), {
      format: 'pretty',
    });
    expect(lines[0]).toBe('00:00:00.000 ERROR failed instance=a1');
    expect(lines[1]).toBe('    Error: no');
    expect(lines[2]).toMatch(/^ {8}at /);
  });
});

describe('a log that cannot be written', () => {
  test('an attribute that throws costs its line only', async () => {
    let dropped = -1;
    const lines = await linesOf((output) => {
      const trap = {
        get trap(): never {
          throw new Error('trap');
        },
      };
      output.log.info('lost', trap);
      output.log.info('kept');
      dropped = output.dropped;
    });
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['kept']);
    expect(dropped).toBe(1);
  });

  test('an output that fails is counted, not thrown', async () => {
    const fd = openSync('/dev/full', 'w');
    const output = new LogOutput({
      level: 'info',
      format: 'json',
      instance: null,
      clock: systemClock,
      fd,
    });
    output.log.info('no room');
    await output.close();
    expect(output.dropped).toBeGreaterThan(0);
    closeSync(fd);
  });

  test('a reader that does not read fills the buffer, then costs lines, never a wait', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const clock = new FakeClock();
    const output = new LogOutput({ level: 'info', format: 'json', instance: null, clock, fd });
    const text = 'x'.repeat(64 * 1024);
    for (let line = 0; line < 100; line++) output.log.info('long', { text });
    expect(output.dropped).toBeGreaterThan(20);
    expect(output.dropped).toBeLessThan(100);

    const closed = output.close();
    clock.advance(1_000);
    await expect(closed).resolves.toBeUndefined();
    // The descriptor stays open: the output still tries to write, and must not hit its successor.
  });
});
