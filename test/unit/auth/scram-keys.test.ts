import { describe, expect, test } from 'vitest';
import { deriveKeys, KeyCache, type ScramKeys } from '../../../src/auth/scram-keys.ts';

const salt = Buffer.from('0123456789abcdef');
const blank = (): ScramKeys => ({
  clientKey: Buffer.alloc(32),
  storedKey: Buffer.alloc(32),
  serverKey: Buffer.alloc(32),
});

describe('KeyCache', () => {
  test('a storm of logins derives once', async () => {
    let derivations = 0;
    const gate = Promise.withResolvers<void>();
    const cache = new KeyCache(async () => {
      derivations++;
      await gate.promise;
      return blank();
    });
    const waiting = Array.from({ length: 100 }, () => cache.get('pencil', salt, 4096));
    expect(cache.peek('pencil', salt, 4096)).toBe(null);
    gate.resolve();
    const all = await Promise.all(waiting);
    expect(new Set(all).size).toBe(1);
    expect(cache.peek('pencil', salt, 4096)).toBe(all[0]);
    expect(await cache.get('pencil', salt, 4096)).toBe(all[0]);
    expect(derivations).toBe(1);
  });

  test('password, salt and iterations all matter', async () => {
    let derivations = 0;
    const cache = new KeyCache(async () => {
      derivations++;
      return blank();
    });
    await cache.get('pencil', salt, 4096);
    await cache.get('pencils', salt, 4096);
    await cache.get('pencil', salt.subarray(1), 4096);
    await cache.get('pencil', salt, 4097);
    // The same bytes in a row, divided differently.
    await cache.get('efpencil', salt.subarray(0, 14), 4096);
    expect(derivations).toBe(5);
  });

  test('a failure is told to all who wait and not kept', async () => {
    let derivations = 0;
    const cache = new KeyCache(async () => {
      derivations++;
      if (derivations === 1) throw new Error('no entropy');
      return blank();
    });
    const both = await Promise.allSettled([cache.get('p', salt, 1), cache.get('p', salt, 1)]);
    expect(both.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    await cache.get('p', salt, 1);
    expect(derivations).toBe(2);
  });
});

describe('deriveKeys', () => {
  test('leaves the event loop free', async () => {
    let turns = 0;
    let done = false;
    const derivation = deriveKeys('pencil', salt, 400_000).then(() => {
      done = true;
    });
    while (!done) {
      turns++;
      await new Promise(setImmediate);
    }
    await derivation;
    expect(turns).toBeGreaterThan(10);
  });
});
