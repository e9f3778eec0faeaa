import { describe, expect, test } from 'vitest';
import { ProtocolViolation } from '../../../src/errors/protocol-violation.ts';
import {
  decodeFirstPacket,
  encodeCancelRequest,
  encodeGssEncRequest,
  encodeSslRequest,
  encodeStartup,
  type FirstPacket,
  FirstPacketKind,
  firstPacketLength,
  isDirectTls,
  mustNegotiate,
  negotiatedMinor,
} from '../../../src/wire/startup.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { recording } from '../../support/conversations.ts';

function encoded(encode: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  encode(writer);
  return writer.take();
}

function decode(bytes: Buffer): FirstPacket {
  return decodeFirstPacket(bytes, 0, bytes.length);
}

function startup(minor: number, params: Record<string, string>): Buffer {
  return encoded((writer) =>
    encodeStartup(writer, { minor, params: new Map(Object.entries(params)) }),
  );
}

/** A startup packet with this version and these bytes behind it. */
function packet(version: number, body: string): Buffer {
  return encoded((writer) => {
    writer.beginUntyped();
    writer.int32(version);
    writer.bytes(Buffer.from(body, 'latin1'));
    writer.end();
  });
}

const V3 = 3 << 16;

describe('the length of the first packet', () => {
  test('is not known before four bytes have come', () => {
    const bytes = startup(0, { user: 'a' });
    for (let available = 0; available < 4; available++) {
      expect(firstPacketLength(bytes, 0, available)).toBe(0);
    }
    expect(firstPacketLength(bytes, 0, 4)).toBe(bytes.length);
  });

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a TLS record', Buffer.of(0x16, 3, 1, 2, 0)],
    ['a length below 8', Buffer.of(0, 0, 0, 7)],
    ['a length above 10000', Buffer.of(0, 0, 0x27, 0x11)],
    ['a negative length', Buffer.of(0xff, 0xff, 0xff, 0xff)],
    ['zeros', Buffer.alloc(4)],
  ])('refuses %s', (_, bytes) => {
    expect(() => firstPacketLength(bytes, 0, bytes.length)).toThrow(
      'invalid length of startup packet',
    );
  });

  test('accepts the limits', () => {
    expect(firstPacketLength(Buffer.of(0, 0, 0, 8), 0, 4)).toBe(8);
    expect(firstPacketLength(Buffer.of(0, 0, 0x27, 0x10), 0, 4)).toBe(10_000);
  });

  test('direct TLS is told by its first byte, which no packet has', () => {
    expect(isDirectTls(0x16)).toBe(true);
    expect(isDirectTls(0)).toBe(false);
  });
});

describe('StartupMessage', () => {
  test('parameters keep their order, the later of two wins, options are set apart', () => {
    const read = decode(
      packet(V3, 'user\0a\0x\x001\0_pq_.grease\0on\0database\0d\0x\x002\0replication\0true\0\0'),
    );
    expect(read.kind).toBe(FirstPacketKind.Startup);
    expect([...read.parameters]).toEqual([
      ['user', 'a'],
      ['x', '2'],
      ['database', 'd'],
      ['replication', 'true'],
    ]);
    expect(read.options).toEqual(['_pq_.grease']);
    expect([read.user, read.database]).toEqual(['a', 'd']);
  });

  test('the database is the user unless it is named', () => {
    expect(decode(startup(0, { user: 'alice' })).database).toBe('alice');
    expect(decode(startup(0, { user: 'alice', database: '' })).database).toBe('alice');
  });

  test('a missing user is not a violation, but an empty name', () => {
    const read = decode(recording('no user').firstPackets[0] as Buffer);
    expect([read.kind, read.user, read.database]).toEqual([FirstPacketKind.Startup, '', 'x']);
  });

  test.each([
    [0, 0, false],
    [1, 1, false],
    [2, 2, false],
    [3, 2, true],
    [9999, 2, true],
  ])('asking for 3.%i goes on as 3.%i', (asked, minor, negotiate) => {
    const read = decode(startup(asked, { user: 'a' }));
    expect([read.major, read.minor]).toEqual([3, asked]);
    expect(negotiatedMinor(asked)).toBe(minor);
    expect(mustNegotiate(read)).toBe(negotiate);
  });

  test('an option alone must be negotiated about', () => {
    expect(mustNegotiate(decode(startup(0, { user: 'a', '_pq_.x': '' })))).toBe(true);
  });

  test.each([0x00020000, 0x00010000, 0x00040000, 0])(
    'version 0x%i of another age is told apart, and not read',
    (version) => {
      const read = decode(packet(version, 'not parameters'));
      expect(read.kind).toBe(FirstPacketKind.Unsupported);
      expect(read.major).toBe(version >>> 16);
    },
  );

  test.each([
    ['no terminator', 'user\0a\0'],
    ['a name without a value', 'user\0'],
    ['a name without an end', 'user'],
    ['bytes behind the terminator', 'user\0a\0\0x'],
    ['nothing at all', ''],
  ])('refuses %s', (_, body) => {
    expect(() => decode(packet(V3, body))).toThrow(ProtocolViolation);
  });

  test('refuses too many parameters', () => {
    let body = 'user\0a\0';
    for (let i = 0; i < 256; i++) body += `p${i}\0\0`;
    expect(() => decode(packet(V3, `${body}\0`))).toThrow('more than 256 parameters');
  });

  test('refuses to be cut off at any byte', () => {
    const bytes = startup(0, { user: 'alice', database: 'shop' });
    for (let length = 8; length < bytes.length; length++) {
      const cut = Buffer.from(bytes.subarray(0, length));
      cut.writeInt32BE(length);
      expect(() => decode(cut), `${length} bytes`).toThrow(ProtocolViolation);
    }
  });
});

describe('requests', () => {
  test('SSLRequest and GSSENCRequest', () => {
    expect(decode(encoded(encodeSslRequest)).kind).toBe(FirstPacketKind.SSLRequest);
    expect(decode(encoded(encodeGssEncRequest)).kind).toBe(FirstPacketKind.GSSENCRequest);
    expect(() => decode(packet(80_877_103, 'x'))).toThrow(ProtocolViolation);
  });

  test.each([4, 32, 256])('CancelRequest with a key of %i bytes', (bytes) => {
    const key = Buffer.alloc(bytes, 0xab);
    const read = decode(encoded((writer) => encodeCancelRequest(writer, 4242, key)));
    expect(read.kind).toBe(FirstPacketKind.CancelRequest);
    expect(read.processId).toBe(4242);
    expect(read.key?.equals(key)).toBe(true);
  });

  test.each([0, 3, 257])('CancelRequest with a key of %i bytes is refused', (bytes) => {
    const body = `pidx${'k'.repeat(bytes)}`;
    expect(() => decode(packet(80_877_102, body))).toThrow(ProtocolViolation);
  });

  test('all kinds have one shape', () => {
    const keys = Object.keys(decode(startup(0, { user: 'a' })));
    for (const bytes of [encoded(encodeSslRequest), packet(0x20000, '')]) {
      expect(Object.keys(decode(bytes))).toEqual(keys);
    }
  });
});

test('what libpq 18 really opens with is read', () => {
  const ssl = recording('ssl refused');
  expect(ssl.firstPackets.map((bytes) => decode(bytes).kind)).toEqual([
    FirstPacketKind.SSLRequest,
    FirstPacketKind.GSSENCRequest,
    FirstPacketKind.Startup,
  ]);
  expect(ssl.charResponses).toEqual([0x4e, 0x4e]);
  const newest = decode(recording('simple queries').firstPackets[0] as Buffer);
  expect([newest.minor, newest.user, newest.database]).toEqual([2, 'alice', 'postgres']);
});
