import { describe, expect, test } from 'vitest';
import { type FoundUser, UserLookup } from '../../../src/auth/user-lookup.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const TTL_MS = 30_000;
const OUTAGE_MS = 3_600_000;

class Server {
  readonly asked: string[] = [];
  readonly users = new Map<string, FoundUser>();
  down = false;
  stale = 0;
  readonly clock = new FakeClock();
  readonly lookup = new UserLookup({
    clock: this.clock,
    ttlMs: TTL_MS,
    outageMs: OUTAGE_MS,
    stale: () => this.stale++,
    ask: async (name) => {
      this.asked.push(name);
      if (this.down) throw new Error('down');
      return this.users.get(name) ?? null;
    },
  });

  add(name: string, password: string, validUntilMs: number | null = null): void {
    this.users.set(name, { password, validUntilMs });
  }

  async find(name: string): Promise<string | null> {
    return (await this.lookup.find(name))?.password ?? null;
  }
}

test('one answer serves all for a while, known or unknown', async () => {
  const server = new Server();
  server.add('orders', 'p');
  const names = ['orders', 'orders', 'nobody', 'nobody'];
  expect(await Promise.all(names.map((name) => server.find(name)))).toEqual(['p', 'p', null, null]);
  expect(server.asked).toEqual(['orders', 'nobody']);
  server.clock.advance(TTL_MS - 1);
  expect(await server.find('orders')).toBe('p');
  expect(server.asked.length).toBe(2);
  server.clock.advance(1);
  server.add('orders', 'q');
  expect(await server.find('orders')).toBe('q');
});

test('a doubtful answer is asked again, but not at every wrong password', async () => {
  const server = new Server();
  server.add('orders', 'p');
  await server.find('orders');
  server.add('orders', 'q');
  server.lookup.doubt('orders');
  expect(await server.find('orders')).toBe('p');
  server.clock.advance(1_000);
  expect(await server.find('orders')).toBe('q');
  expect(server.asked.length).toBe(2);
  server.lookup.doubt('nobody');
  expect(server.asked.length).toBe(2);
});

describe('while the server cannot be asked', () => {
  test('the last answer counts, but not for ever', async () => {
    const server = new Server();
    server.add('orders', 'p');
    await server.find('orders');
    server.down = true;
    server.clock.advance(TTL_MS);
    expect(await server.find('orders')).toBe('p');
    expect(server.stale).toBe(1);
    server.clock.advance(OUTAGE_MS + 1);
    await expect(server.find('orders')).rejects.toThrow('down');
  });

  test('who was never asked about is not known', async () => {
    const server = new Server();
    server.down = true;
    await expect(server.find('orders')).rejects.toThrow('down');
  });
});

test('VALID UNTIL is held against the clock, not against the time of the answer', async () => {
  const server = new Server();
  server.add('soon', 'p', server.clock.wallMs() + 1_000);
  server.add('expired', 'p', server.clock.wallMs());
  expect(await server.find('soon')).toBe('p');
  expect(await server.find('expired')).toBe(null);
  server.clock.advance(999);
  expect(await server.find('soon')).toBe('p');
  server.clock.advance(1);
  expect(await server.find('soon')).toBe(null);
  expect(server.asked).toEqual(['soon', 'expired']);
});

test('a name no server can have is not asked for', async () => {
  const server = new Server();
  expect(await server.find('x'.repeat(64))).toBe(null);
  expect(await server.find('ü'.repeat(32))).toBe(null);
  expect(server.asked).toEqual([]);
});

test('made-up names do not push out real ones', async () => {
  const server = new Server();
  server.add('orders', 'p');
  await server.find('orders');
  for (let number = 0; number < 10_100; number++) await server.find(`made-up-${number}`);
  await server.find('orders');
  expect(server.asked.filter((name) => name === 'orders').length).toBe(1);
});
