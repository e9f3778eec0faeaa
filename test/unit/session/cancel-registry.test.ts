import { describe, expect, test } from 'vitest';
import { CancelRegistry, SESSIONS_MAX } from '../../../src/session/cancel-registry.ts';
import type { Session } from '../../../src/session/session.ts';
import { Phase } from '../../../src/session/session-states.ts';

/** As much of a session as the registry looks at: one that has nothing under way. */
function idleSession(): Session {
  return { cancelId: 0, phase: Phase.Idle, server: null } as unknown as Session;
}

const never = (): never => {
  throw new Error('there was nothing to wait for');
};

describe('a key', () => {
  test('says where its session lives', () => {
    const first = new CancelRegistry('one', 0).add(idleSession(), false)!;
    const worker = new CancelRegistry('one', 31).add(idleSession(), false)!;
    const other = new CancelRegistry('two', 0).add(idleSession(), false)!;
    expect(first.processId & (SESSIONS_MAX - 1)).toBe(1);
    expect((worker.processId >>> 18) & 31).toBe(31);
    expect(worker.processId >>> 23).toBe(first.processId >>> 23);
    expect(other.processId >>> 23).not.toBe(first.processId >>> 23);
  });

  test('is a positive Int32, whatever the instance is called', () => {
    for (let index = 0; index < 300; index++) {
      const key = new CancelRegistry(`instance ${index}`, 31).add(idleSession(), false)!;
      expect(key.processId).toBeGreaterThan(0);
      expect(key.processId | 0).toBe(key.processId);
    }
  });

  test('has 4 secret bytes, or 32 for who can read them', () => {
    const registry = new CancelRegistry('one', 0);
    expect(registry.add(idleSession(), false)?.secret.length).toBe(4);
    expect(registry.add(idleSession(), true)?.secret.length).toBe(32);
  });

  test('of a session that has gone may be given again, but not at once', () => {
    const registry = new CancelRegistry('one', 0);
    const session = idleSession();
    const first = registry.add(session, false)!;
    registry.remove(session);
    expect(registry.size).toBe(0);
    expect(registry.add(idleSession(), false)?.processId).not.toBe(first.processId);
  });

  test('is unique, and there is an end to them', () => {
    const registry = new CancelRegistry('one', 0);
    const seen = new Set<number>();
    // Number 0 of the first worker of the instance whose hash is 0 would be process 0.
    for (;;) {
      const key = registry.add(idleSession(), false);
      if (key === null) break;
      seen.add(key.processId);
    }
    expect(seen.size).toBe(registry.size);
    expect(registry.size).toBe(SESSIONS_MAX);
  });

  test('needs a worker that fits', () => {
    expect(() => new CancelRegistry('one', 32)).toThrow('worker number out of range');
  });
});

describe('a cancel request is ignored', () => {
  const registry = new CancelRegistry('one', 0);
  const session = idleSession();
  const { processId, secret } = registry.add(session, false)!;

  test.each<[string, number, Buffer]>([
    ['for a process that does not exist', processId + 1, secret],
    ['with a wrong secret', processId, Buffer.from(secret.map((byte) => byte ^ 1))],
    ['with the beginning of the secret', processId, secret.subarray(0, 3)],
    ['with more than the secret', processId, Buffer.concat([secret, Buffer.alloc(28)])],
    ['with no secret', processId, Buffer.alloc(0)],
    ['when nothing is under way', processId, secret],
  ])('%s', (_name, id, key) => {
    expect(registry.cancel(id, key, never)).toBe(false);
  });
});
