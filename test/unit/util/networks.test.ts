import { describe, expect, test } from 'vitest';
import { isLoopback, isNetwork, NetworkSet } from '../../../src/util/networks.ts';

describe('isNetwork', () => {
  test.each(['10.1.0.0/16', '10.1.2.3', '0.0.0.0/0', 'fd00::/8', '::1', '::/0', '::ffff:1.2.3.4'])(
    '%s is one',
    (text) => expect(isNetwork(text)).toBe(true),
  );

  test.each(['', '10.1', '10.1.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8'])(
    '%j is none',
    (text) => expect(isNetwork(text)).toBe(false),
  );

  test.each(['db1', '10.0.0.0/a', '256.0.0.1', 'fe80::1%eth0', ' 10.0.0.1'])('%j is none', (text) =>
    expect(isNetwork(text)).toBe(false),
  );
});

describe('NetworkSet', () => {
  const set = new NetworkSet(['10.1.0.0/16', '192.0.2.7', 'fd00::/8', 'fe80::1']);

  test.each([
    '10.1.255.1',
    '192.0.2.7',
    '::ffff:10.1.2.3',
    '::FFFF:192.0.2.7',
    'fd12::1',
    'fe80::1%eth0',
  ])('has %s', (address) => expect(set.has(address)).toBe(true));

  test.each([
    '10.2.0.1',
    '192.0.2.8',
    '::ffff:10.2.0.1',
    'fe80::2%eth0',
    '',
    '/run/x',
    'localhost',
    null,
    undefined,
  ])('has not %j', (address) => expect(set.has(address)).toBe(false));

  test('of everything has both families only when both are named', () => {
    expect(new NetworkSet(['0.0.0.0/0']).has('203.0.113.9')).toBe(true);
    expect(new NetworkSet(['0.0.0.0/0']).has('::1')).toBe(false);
    expect(new NetworkSet(['::/0']).has('::1')).toBe(true);
  });

  test('of nothing has nobody', () => {
    expect(new NetworkSet([]).has('127.0.0.1')).toBe(false);
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['/var/run/postgresql', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['db1', false],
])('isLoopback(%j) is %j', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
