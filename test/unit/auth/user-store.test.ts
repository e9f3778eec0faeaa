import { describe, expect, test } from 'vitest';
import { deriveKeys, KeyCache } from '../../../src/auth/scram-keys.ts';
import { User, type UserEntry, UserStore } from '../../../src/auth/user-store.ts';
import { deriveVerifier, formatVerifier } from '../../../src/auth/verifier.ts';

const SECRET = Buffer.alloc(32, 7);
/** Counts, and takes one iteration instead of thousands. */
function countingCache(): { cache: KeyCache; derivations: () => number } {
  let count = 0;
  const cache = new KeyCache((password, salt) => {
    count++;
    return deriveKeys(password, salt, 1);
  });
  return { cache, derivations: () => count };
}

function entry(name: string, passwords: string[], more: Partial<UserEntry> = {}): UserEntry {
  return { name, passwords, databases: null, clients: null, ...more };
}

describe('what a user may do', () => {
  const store = new UserStore(
    [
      entry('all', ['a']),
      entry('some', ['new', 'old'], { databases: ['shop'], clients: ['10.0.0.0/8'] }),
      entry('none', [], { databases: [], clients: [] }),
    ],
    countingCache().cache,
    SECRET,
  );

  test('databases', () => {
    expect(store.find('all')).toBeInstanceOf(User);
    expect(store.find('all')?.mayOpen('anything')).toBe(true);
    expect(store.find('some')?.mayOpen('shop')).toBe(true);
    expect(store.find('some')?.mayOpen('Shop')).toBe(false);
    expect(store.find('none')?.mayOpen('shop')).toBe(false);
  });

  test('networks', () => {
    expect(store.find('all')?.mayComeFrom(null)).toBe(true);
    expect(store.find('some')?.mayComeFrom('10.1.2.3')).toBe(true);
    expect(store.find('some')?.mayComeFrom('11.1.2.3')).toBe(false);
    expect(store.find('some')?.mayComeFrom(null)).toBe(false);
    expect(store.find('none')?.mayComeFrom('10.1.2.3')).toBe(false);
  });

  test('the first password is what servers are told', () => {
    expect(store.find('some')?.serverPassword).toBe('new');
    expect(store.find('none')?.serverPassword).toBe(null);
  });

  test('names that are no users', () => {
    for (const name of ['', 'ALL', 'toString', '__proto__', 'x'.repeat(10_000), '\ud800']) {
      expect(store.find(name)).toBe(null);
    }
    expect(store.size).toBe(3);
  });
});

describe('what an attempt is checked against', () => {
  test('all passwords of a user, made with one salt', async () => {
    const store = new UserStore([entry('u', ['new', 'old'])], countingCache().cache, SECRET);
    const secret = await store.scramSecret('u');
    expect(secret.mock).toBe(false);
    expect(secret.iterations).toBe(4096);
    expect(secret.salt).toHaveLength(16);
    for (const [index, password] of ['new', 'old'].entries()) {
      const { storedKey } = await deriveKeys(password, secret.salt, 1);
      expect(secret.passwords[index]?.storedKey).toEqual(storedKey);
    }
  });

  test('a stranger looks like a user, the same one every time', async () => {
    const users = [entry('u', ['a']), entry('rotating', ['b', 'c', 'd'])];
    const store = new UserStore(users, countingCache().cache, SECRET);
    const user = await store.scramSecret('u');
    const stranger = await store.scramSecret('stranger');
    expect(stranger.mock).toBe(true);
    expect(stranger.iterations).toBe(user.iterations);
    expect(stranger.salt).toHaveLength(user.salt.length);
    expect(stranger.passwords).toHaveLength(3);
    expect(user.passwords).toHaveLength(3);
    expect(await store.scramSecret('stranger')).toEqual(stranger);
    expect((await store.scramSecret('other')).salt).not.toEqual(stranger.salt);
    const another = new UserStore(users, countingCache().cache, Buffer.alloc(32, 8));
    expect((await another.scramSecret('stranger')).salt).not.toEqual(stranger.salt);
  });

  test('becoming a user does not change the salt', async () => {
    const { cache } = countingCache();
    const before = await new UserStore([], cache, SECRET).scramSecret('u');
    const after = await new UserStore([entry('u', ['a'])], cache, SECRET).scramSecret('u');
    expect(before.mock).toBe(true);
    expect(after.mock).toBe(false);
    expect(after.salt).toEqual(before.salt);
  });

  test('a user without a password is nobody to log in as', async () => {
    const store = new UserStore([entry('u', [])], countingCache().cache, SECRET);
    expect((await store.scramSecret('u')).mock).toBe(true);
  });

  test('a verifier lends its salt to the passwords beside it', async () => {
    const salt = Buffer.from('a salt of its own');
    const verifier = await deriveVerifier('old', salt, 7);
    const other = await deriveVerifier('older', Buffer.from('another salt'), 7);
    const passwords = ['new', formatVerifier(verifier), formatVerifier(other)];
    const store = new UserStore([entry('u', passwords)], new KeyCache(), SECRET);
    const secret = await store.scramSecret('u');
    expect([secret.salt, secret.iterations, secret.mock]).toEqual([salt, 7, false]);
    const expected = await deriveKeys('new', salt, 7);
    expect(secret.passwords[0]?.storedKey).toEqual(expected.storedKey);
    expect(secret.passwords[1]?.storedKey).toEqual(verifier.storedKey);
    expect(secret.passwords[2]?.storedKey).not.toEqual(other.storedKey);
    expect(store.find('u')?.serverPassword).toBe('new');
  });

  test('keys are derived once, by prepare or the first login, and outlive a reload', async () => {
    const { cache, derivations } = countingCache();
    const users = [entry('u', ['a', 'b']), entry('v', ['c'])];
    const store = new UserStore(users, cache, SECRET);
    await Promise.all([store.scramSecret('u'), store.scramSecret('u'), store.scramSecret('x')]);
    expect(derivations()).toBe(2);
    await store.prepare();
    await store.scramSecret('v');
    expect(derivations()).toBe(3);
    const reloaded = new UserStore([...users, entry('w', ['d'])], cache, SECRET);
    await reloaded.prepare();
    expect(derivations()).toBe(4);
  });
});
