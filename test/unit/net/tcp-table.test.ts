import { expect, test } from 'vitest';
import { addUnacknowledged, endpointsKey } from '../../../src/net/tcp-table.ts';

/** As the kernel prints them, without the columns at the end that nobody here looks at. */
const V4 = [
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout',
  '   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0',
  '   1: 0100007F:8FA2 0101010A:3C38 01 00000012:00000000 01:000000C8 00000003     0        0',
  '   2: 0100007F:8FA3 0101010A:3C38 01 00000012:00000000 01:00000014 00000000     0        0',
  '   3: 0100007F:8FA4 0101010A:3C38 01 00000012:00000000 04:00000014 00000000     0        2',
  '   4: 0100007F:8FA5 0101010A:3C38 01 00000012:00000000 04:00000014 00000000     0        0',
  '   5: 0100007F:8FA6 0101010A:3C38 01 00000000:00000000 02:00000014 00000002     0        1',
].join('\n');

const SENDING = '01 00000012:00000000 01:000000C8 0000000A     0        0';
const MAPPED = '0000000000000000FFFF0000';
const V6 = [
  '  sl  local_address                         remote_address                        st ...',
  `   0: ${MAPPED}0100007F:1920 ${MAPPED}0101010A:D431 ${SENDING}`,
  `   1: 000080FE00000000FF2B1A4E0123456F:1921 000080FE00000000FF2B1A4E01234567:D432 ${SENDING}`,
  '',
].join('\n');

test('finds who is sent to again, or probed without an answer, with something on the way', () => {
  const found = new Set<string>();
  addUnacknowledged(V4, found);
  expect([...found]).toEqual(['36770 15416 10.1.1.1', '36772 15416 10.1.1.1']);
});

test('addresses are as sockets have them', () => {
  const found = new Set<string>();
  addUnacknowledged(V6, found);
  const mapped = { localPort: 0x1920, remotePort: 0xd431, remoteAddress: '::ffff:10.1.1.1' };
  expect(found.has(endpointsKey(mapped))).toBe(true);
  expect(found.has(endpointsKey({ ...mapped, remoteAddress: '10.1.1.2' }))).toBe(false);
  const v6 = { localPort: 0x1921, remotePort: 0xd432, remoteAddress: 'fe80::1' };
  expect(found.has(endpointsKey(v6))).toBe(true);
});

test('what is not a table says nothing', () => {
  const found = new Set<string>();
  for (const text of ['', '\n\n', 'nonsense\nmore of it\n']) addUnacknowledged(text, found);
  expect(found.size).toBe(0);
});
