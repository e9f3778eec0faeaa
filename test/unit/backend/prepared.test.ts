import { expect, test } from 'vitest';
import { PreparedRegistry } from '../../../src/backend/prepared.ts';

const body = (text: string, types = '\0\0'): Buffer =>
  Buffer.from(`..${text}\0${types}..`, 'latin1');

function intern(registry: PreparedRegistry, buffer: Buffer, variant = '', facts: unknown = null) {
  return registry.intern(buffer, 2, buffer.length - 2, variant, () => facts);
}

test('the same text and types are the same statement, whatever buffer they came in', () => {
  const registry = new PreparedRegistry();
  const one = intern(registry, body('select 1'));
  expect(intern(registry, body('select 1'))).toBe(one);
  expect(intern(registry, body('select 2'))).not.toBe(one);
  expect(intern(registry, body('select 1', '\0\x01\0\0\0\x17'))).not.toBe(one);
  expect(intern(registry, body('select 1'), 'SJIS\0')).not.toBe(one);
  expect(registry.size).toBe(4);
});

test('a statement keeps bytes of its own', () => {
  const registry = new PreparedRegistry();
  const buffer = body('select 1');
  const one = intern(registry, buffer);
  buffer.fill(0xee);
  expect(one.body.toString('latin1')).toBe('select 1\0\0\0');
  expect(one.serverName.toString('latin1')).toBe('sluice_1\0');
});

test('facts are asked for once', () => {
  const registry = new PreparedRegistry();
  const one = intern(registry, body('select 1'), '', 'first');
  expect(intern(registry, body('select 1'), '', 'second').facts).toBe('first');
  expect(one.huge).toBe(false);
});

test('one that is too long to keep is nobody else’s', () => {
  const registry = new PreparedRegistry();
  const one = registry.unshared('facts');
  expect(one.huge).toBe(true);
  expect(registry.unshared('facts').serverName).not.toEqual(one.serverName);
  expect(registry.size).toBe(0);
});

test('one that is retired is not found again', () => {
  const registry = new PreparedRegistry();
  const old = intern(registry, body('select 1'));
  registry.retire(old);
  const next = intern(registry, body('select 1'));
  expect(next).not.toBe(old);
  expect(next.serverName).not.toEqual(old.serverName);
  // Somebody who still has the old one may find it broken once more.
  registry.retire(old);
  expect(intern(registry, body('select 1'))).toBe(next);
});

test('one of a session’s own is never found', () => {
  const registry = new PreparedRegistry();
  const buffer = body('select 1');
  const own = registry.own(buffer, 2, buffer.length - 2, 'facts');
  expect(own.body).toEqual(intern(registry, body('select 1')).body);
  expect(intern(registry, body('select 1'))).not.toBe(own);
});
