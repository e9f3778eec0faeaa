import { expect, test } from 'vitest';
import { Backend, codeName, Frontend, isKnownCode } from '../../../src/wire/codes.ts';
import { Interest } from '../../../src/wire/frame-scanner.ts';
import * as interests from '../../../src/wire/interest.ts';

test('every message of the protocol is expected in some phase', () => {
  const client = [interests.CLIENT_LOGIN, interests.CLIENT_IDLE, interests.CLIENT_LEASED];
  for (const code of Object.values(Frontend)) {
    const expected = client.some((table) => table[code] !== Interest.Refuse);
    expect(expected, codeName('F', code)).toBe(true);
  }
  const server = [interests.SERVER_LOGIN, interests.SERVER_READY];
  for (const code of Object.values(Backend)) {
    const expected = server.some((table) => table[code] !== Interest.Refuse);
    expect(expected, codeName('B', code)).toBe(true);
  }
});

test.each(Object.entries(interests))(
  '%s refuses what the protocol does not have',
  (name, table) => {
    const direction = name.startsWith('CLIENT') ? 'F' : 'B';
    expect(table).toHaveLength(256);
    for (let code = 0; code < 256; code++) {
      if (isKnownCode(direction, code)) continue;
      expect(table[code], `0x${code.toString(16)}`).toBe(Interest.Refuse);
    }
  },
);

test('the bulk of results and of COPY passes unseen', () => {
  expect(interests.SERVER_READY[Backend.DataRow]).toBe(Interest.Forward);
  expect(interests.SERVER_READY[Backend.CopyData]).toBe(Interest.Forward);
  expect(interests.CLIENT_LEASED[Frontend.CopyData]).toBe(Interest.Forward);
});
