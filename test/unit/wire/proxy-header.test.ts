import { describe, expect, test } from 'vitest';
import { ProtocolViolation } from '../../../src/errors/protocol-violation.ts';
import { decodeProxyHeader } from '../../../src/wire/proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const V4 = `${SIGNATURE}2111000c0a0102037f00000104d20050`;
const V6_ADDRESSES = `fd000000000000000000000000000001${'00'.repeat(16)}04d20050`;
const V6 = `${SIGNATURE}21210024${V6_ADDRESSES}`;

const decode = (hex: string) => decodeProxyHeader(Buffer.from(hex, 'hex'));

describe('who it is', () => {
  test.each([
    ['IPv4', V4, { address: '10.1.2.3', port: 1234 }],
    [
      'IPv4 with a TLV',
      `${SIGNATURE}211100110a0102037f00000104d200500400020102`,
      { address: '10.1.2.3', port: 1234 },
    ],
    ['IPv6', V6, { address: 'fd00::1', port: 1234 }],
    ['a unix socket', `${SIGNATURE}213100d8${'00'.repeat(216)}`, { address: '', port: 0 }],
    ['LOCAL', `${SIGNATURE}2011000c0a0102037f00000104d20050`, null],
    ['LOCAL without addresses', `${SIGNATURE}20000000`, null],
    ['unspecified', `${SIGNATURE}21000000`, null],
  ])('%s', (_, hex, source) => {
    expect(decode(hex)).toEqual({ length: hex.length / 2, source });
    expect(decode(`${hex}ff`)?.length).toBe(hex.length / 2);
  });
});

test('waits for every byte of it', () => {
  for (let length = 0; length < V4.length; length += 2)
    expect(decode(V4.slice(0, length))).toBe(null);
});

test.each([
  ['another first byte', '0e'],
  ['version 1', Buffer.from('PROXY TCP4').toString('hex')],
  ['a startup packet', '0000000804d2162f'],
  ['version 3', `${SIGNATURE}3111000c`],
  ['an unknown command', `${SIGNATURE}2211000c`],
  ['UDP', `${SIGNATURE}2112000c${'00'.repeat(12)}`],
  ['an unknown family', `${SIGNATURE}2141000c${'00'.repeat(12)}`],
  ['addresses cut short', `${SIGNATURE}2111000b${'00'.repeat(11)}`],
  ['over 4 KiB', `${SIGNATURE}21111001`],
  ['64 KiB', `${SIGNATURE}2111ffff`],
])('refuses %s as soon as it can', (_, hex) => {
  expect(() => decode(hex)).toThrow(ProtocolViolation);
});
