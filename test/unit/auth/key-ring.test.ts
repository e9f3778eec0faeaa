import { expect, test } from 'vitest';
import { KeyRing } from '../../../src/auth/key-ring.ts';
import { deriveKeys, KeyCache, type ScramKeys } from '../../../src/auth/scram-keys.ts';
import { UserStore } from '../../../src/auth/user-store.ts';
import { deriveVerifier, formatVerifier, type Verifier } from '../../../src/auth/verifier.ts';

const SALT = Buffer.from('0123456789abcdef');

async function proven(password: string): Promise<{ verifier: Verifier; keys: ScramKeys }> {
  return {
    verifier: await deriveVerifier(password, SALT, 2),
    keys: await deriveKeys(password, SALT, 2),
  };
}

test('opens servers that store the very same verifier, and only after a login', async () => {
  const ring = new KeyRing();
  const login = ring.of('orders');
  expect(login.scramKeys(SALT, 2)).toBe(null);
  const { verifier, keys } = await proven('pencil');
  ring.remember('orders', verifier, keys.clientKey);
  expect(login.scramKeys(SALT, 2)).toEqual(keys);
  expect(login.scramKeys(SALT, 3)).toBe(null);
  expect(login.scramKeys(Buffer.from('another salt'), 2)).toBe(null);
  expect(ring.of('reporter').scramKeys(SALT, 2)).toBe(null);
  expect(login.md5()).toBe(null);
});

test('an md5 hash is handed out as it is', () => {
  const ring = new KeyRing();
  const stored = `md5${'0123456789abcdef'.repeat(2)}`;
  ring.rememberMd5('orders', 'no hash at all');
  expect(ring.size).toBe(0);
  ring.rememberMd5('orders', stored);
  expect(ring.of('orders').md5()).toBe(stored);
  expect(ring.of('orders').scramKeys(SALT, 2)).toBe(null);
});

test('what is no longer stored is dropped', async () => {
  const ring = new KeyRing();
  const { verifier, keys } = await proven('pencil');
  ring.remember('orders', verifier, keys.clientKey);
  ring.retain('orders', ['something else', formatVerifier(verifier)]);
  expect(ring.size).toBe(1);
  ring.retain('orders', [formatVerifier((await proven('another')).verifier)]);
  expect(ring.size).toBe(0);
});

test('a new user store drops keys of passwords that have changed', async () => {
  const ring = new KeyRing();
  const { verifier, keys } = await proven('pencil');
  const make = (passwords: readonly string[]): UserStore => {
    const entries = [{ name: 'orders', passwords, databases: null, clients: null }];
    return new UserStore(entries, new KeyCache(), Buffer.alloc(32), { ring });
  };
  make([formatVerifier(verifier)]);
  ring.remember('orders', verifier, keys.clientKey);
  make([formatVerifier(verifier)]);
  expect(ring.size).toBe(1);
  make(['a plain one']);
  expect(ring.size).toBe(0);
});

test('there is an end to what is held', async () => {
  const ring = new KeyRing();
  const { verifier, keys } = await proven('pencil');
  for (let user = 0; user < 10_010; user++) ring.remember(`u${user}`, verifier, keys.clientKey);
  expect(ring.size).toBe(10_000);
  expect(ring.of('u0').scramKeys(SALT, 2)).toBe(null);
  expect(ring.of('u10009').scramKeys(SALT, 2)).not.toBe(null);
});
