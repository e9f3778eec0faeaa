import { describe, expect, test } from 'vitest';
import { ProtocolViolation } from '../../../src/errors/protocol-violation.ts';
import { Backend, codeName, Frontend } from '../../../src/wire/codes.ts';
import { decodeAuthentication } from '../../../src/wire/messages/authentication.ts';
import { decodeBackendKeyData } from '../../../src/wire/messages/backend-key-data.ts';
import {
  decodeBind,
  decodeBindHead,
  encodeBind,
  encodeBindHead,
} from '../../../src/wire/messages/bind.ts';
import { parseCommandTag } from '../../../src/wire/messages/command-complete.ts';
import { decodeDescribe } from '../../../src/wire/messages/describe-close.ts';
import * as negotiate from '../../../src/wire/messages/negotiate-protocol-version.ts';
import { decodeParse, decodeParseHead } from '../../../src/wire/messages/parse.ts';
import { decodeSASLInitialResponse } from '../../../src/wire/messages/password.ts';
import { decodeReadyForQuery } from '../../../src/wire/messages/ready-for-query.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { samples } from '../../support/wire-samples.ts';

const NO_BODY: ReadonlySet<number> = new Set([
  Frontend.Sync,
  Frontend.Flush,
  Frontend.Terminate,
  Frontend.CopyDone,
]);
const NO_BODY_BACKEND: ReadonlySet<number> = new Set([
  Backend.ParseComplete,
  Backend.BindComplete,
  Backend.CloseComplete,
  Backend.NoData,
  Backend.EmptyQueryResponse,
  Backend.PortalSuspended,
  Backend.CopyDone,
  // The same encoder and decoder as the frontend's.
  Backend.CopyData,
]);

function encoded(encode: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  encode(writer);
  return writer.take();
}

/** A body in the midst of other bytes, none of which its decoder may touch. */
function embedded(body: Uint8Array): { buffer: Buffer; start: number; end: number } {
  const around = Buffer.alloc(7, 0x41);
  return {
    buffer: Buffer.concat([around, body, Buffer.alloc(7, 0)]),
    start: around.length,
    end: around.length + body.length,
  };
}

function body(...bytes: readonly (number | string)[]): Buffer {
  return Buffer.concat(bytes.map((b) => (typeof b === 'number' ? Buffer.of(b) : Buffer.from(b))));
}

test('every message with a body has a sample', () => {
  const seen = new Set(samples.map((sample) => `${sample.direction}${sample.code}`));
  for (const code of Object.values(Frontend)) {
    if (!NO_BODY.has(code)) expect(seen, codeName('F', code)).toContain(`F${code}`);
  }
  for (const code of Object.values(Backend)) {
    if (!NO_BODY_BACKEND.has(code)) expect(seen, codeName('B', code)).toContain(`B${code}`);
  }
});

describe.each(samples)('$name', (sample) => {
  const message = encoded(sample.encode);
  const sampleBody = message.subarray(5);

  test('is framed by its code and length', () => {
    expect(message[0]).toBe(sample.code);
    expect(message.readInt32BE(1)).toBe(message.length - 1);
  });

  test('reads back the value that was written, from anywhere in a buffer', () => {
    const { buffer, start, end } = embedded(sampleBody);
    expect(sample.decode(buffer, start, end)).toEqual(sample.value);
  });

  test('refuses a body cut off at any length, and reads nothing beyond it', () => {
    const { buffer, start } = embedded(sampleBody);
    for (let bytes = 0; bytes < sampleBody.length; bytes++) {
      if (sample.openFrom !== null && bytes >= sample.openFrom) continue;
      expect(() => sample.decode(buffer, start, start + bytes), `${bytes} bytes`).toThrow(
        ProtocolViolation,
      );
    }
  });

  if (sample.openFrom !== null) return;
  test('refuses bytes left over', () => {
    const { buffer, start, end } = embedded(Buffer.concat([sampleBody, Buffer.of(0x58)]));
    expect(() => sample.decode(buffer, start, end)).toThrow(ProtocolViolation);
  });
});

describe('heads', () => {
  test('of a Bind tells both names and where the rest begins', () => {
    const bind = {
      portal: 'p',
      statement: 'old',
      formats: [1],
      values: [Buffer.from('v')],
      resultFormats: [0],
    };
    const message = encoded((writer) => encodeBind(writer, bind));
    const head = decodeBindHead(message, 5, message.length);
    expect([head.portal, head.statement]).toEqual(['p', 'old']);

    const rest = message.subarray(head.restStart);
    const replaced = Buffer.concat([
      encoded((writer) => encodeBindHead(writer, head.portal, 'another name', rest.length)),
      rest,
    ]);
    expect(replaced.readInt32BE(1)).toBe(replaced.length - 1);
    expect(decodeBind(replaced, 5, replaced.length)).toEqual({
      ...bind,
      statement: 'another name',
    });
  });

  test('of a Parse tells the name and where the text begins', () => {
    const bytes = Buffer.from('name\0select');
    expect(decodeParseHead(bytes, 0, bytes.length)).toEqual({ name: 'name', textStart: 5 });
  });

  test('must contain the names', () => {
    const bytes = Buffer.from('portal\0statement without an end');
    expect(() => decodeBindHead(bytes, 0, bytes.length)).toThrow(/statement name has no/);
  });
});

describe('counts and lengths are held against the body before anything is allocated', () => {
  test('a count of parameters that cannot follow', () => {
    const bytes = body('\0', '\0', 0, 0, 0xff, 0xff, 0, 0);
    expect(() => decodeBind(bytes, 0, bytes.length)).toThrow(
      'invalid Bind message: number of parameters is 65535, but only 2 bytes follow',
    );
  });

  test('a value longer than the body', () => {
    const bytes = body('\0', '\0', 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 'x', 0, 0);
    expect(() => decodeBind(bytes, 0, bytes.length)).toThrow(
      'invalid Bind message: parameter value needs 2147483647 bytes, 3 are left',
    );
  });

  test('a value with a negative length that is not null', () => {
    const bytes = body('\0', '\0', 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0);
    expect(() => decodeBind(bytes, 0, bytes.length)).toThrow('the length -2');
  });

  test('a number of types that cannot follow', () => {
    const bytes = body('\0', 'select\0', 0, 2, 0, 0, 0, 23);
    expect(() => decodeParse(bytes, 0, bytes.length)).toThrow('is 2, but only 4 bytes follow');
  });

  test('a number of options that cannot follow', () => {
    const bytes = body(0, 3, 0, 0, 0x7f, 0xff, 0xff, 0xff, 'a\0');
    expect(() => negotiate.decodeNegotiateProtocolVersion(bytes, 0, bytes.length)).toThrow(
      ProtocolViolation,
    );
  });

  test.each([3, 257])('a cancel key of %i bytes', (bytes) => {
    const data = Buffer.alloc(4 + bytes);
    expect(() => decodeBackendKeyData(data, 0, data.length)).toThrow('not 4 to 256');
  });
});

describe('values outside the protocol', () => {
  test('an unknown transaction status', () => {
    expect(() => decodeReadyForQuery(Buffer.from('X'), 0, 1)).toThrow('0x58, not I, T or E');
  });

  test('a Describe of neither statement nor portal', () => {
    expect(() => decodeDescribe(Buffer.from('Xname\0'), 0, 6)).toThrow('0x58, not S or P');
  });

  test.each([-1, 13])('authentication method %i', (kind) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(kind);
    expect(() => decodeAuthentication(bytes, 0, 4)).toThrow('is not known');
  });

  test('an empty list of SASL mechanisms', () => {
    const bytes = body(0, 0, 0, 10, 0);
    expect(() => decodeAuthentication(bytes, 0, 5)).toThrow('empty');
  });

  test('a SASL response whose length is not what follows', () => {
    const bytes = body('M\0', 0, 0, 0, 2, 'x');
    expect(() => decodeSASLInitialResponse(bytes, 0, bytes.length)).toThrow('1 bytes follow');
  });
});

test.each([
  ['SELECT 10', 'SELECT', 10],
  ['INSERT 0 5', 'INSERT', 5],
  ['COPY 1000000000000', 'COPY', 1_000_000_000_000],
  ['CREATE TABLE', 'CREATE TABLE', -1],
  ['FETCH 0', 'FETCH', 0],
  ['', '', -1],
])('the tag %j is %j and %d rows', (tag, command, rows) => {
  expect(parseCommandTag(tag)).toEqual({ command, rows });
});
