/** The server's side of a login, one message at a time, for tests of `Handshake`. */
import { expect } from 'vitest';
import { KeyCache } from '../../src/auth/scram-keys.ts';
import { Handshake, type HandshakeOptions } from '../../src/backend/handshake.ts';
import { HandshakeState } from '../../src/backend/handshake-states.ts';
import * as constants from '../../src/wire/constants.ts';
import type { ErrorFields } from '../../src/wire/error-response.ts';
import { encodeBackendKeyData } from '../../src/wire/messages/backend-key-data.ts';
import { encodeParameterStatus } from '../../src/wire/messages/parameter-status.ts';
import { Writer } from '../../src/wire/writer.ts';

/** What a server says to a wrong password. */
export const error: ErrorFields = {
  severity: 'FATAL',
  severityCode: 'FATAL',
  sqlstate: '28P01',
  message: 'password authentication failed for user "u"',
  detail: null,
  hint: null,
  position: null,
  internalPosition: null,
  internalQuery: null,
  where: null,
  schema: null,
  table: null,
  column: null,
  dataType: null,
  constraint: null,
  file: null,
  line: null,
  routine: null,
};

/** A `Handshake` under test and the server's end of its conversation. */
export interface Peer {
  readonly handshake: Handshake;
  /** How often `resumed` was called. */
  readonly resumed: () => number;
  /** Shows the handshake everything `write` encodes, message by message. */
  send(write: (writer: Writer) => void): void;
  sendBytes(bytes: Buffer): void;
  /** The body of the one message the handshake wants sent. */
  received(): Buffer;
}

export function peer(options: Partial<HandshakeOptions> = {}): Peer {
  let resumed = 0;
  const handshake = new Handshake({
    user: 'u',
    password: 'pencil',
    stored: null,
    channelBinding: null,
    database: 'd',
    applicationName: 'app',
    parameters: new Map(),
    secure: false,
    keys: options.keys ?? new KeyCache(),
    resumed: () => resumed++,
    ...options,
  });
  const sendBytes = (bytes: Buffer): void => {
    let at = 0;
    while (at < bytes.length) {
      const end = at + 1 + bytes.readInt32BE(at + 1);
      handshake.message(bytes[at]!, bytes, at + 5, end);
      at = end;
    }
  };
  return {
    handshake,
    resumed: () => resumed,
    sendBytes,
    send(write) {
      const writer = new Writer();
      write(writer);
      sendBytes(writer.take());
    },
    received() {
      const output = handshake.takeOutput();
      expect(output?.[0]).toBe(0x70);
      expect(output?.readInt32BE(1)).toBe(output!.length - 1);
      return output!.subarray(5);
    },
  };
}

/** A peer whose startup packet is out. */
export function started(options: Partial<HandshakeOptions> = {}): Peer {
  const result = peer(options);
  result.handshake.start();
  result.handshake.takeOutput();
  return result;
}

/** Why the login failed; it must have, and must not want to send anything more. */
export function failure(one: Peer): string {
  expect(one.handshake.state).toBe(HandshakeState.Failed);
  expect(one.handshake.takeOutput()).toBe(null);
  return `${one.handshake.failure?.kind}: ${one.handshake.failure?.message}`;
}

/** Everything from AuthenticationOk on; `expectReady` knows what it said. */
export function finishLogin(one: Peer): void {
  one.sendBytes(constants.authenticationOk);
  one.send((writer) => {
    encodeParameterStatus(writer, 'server_version', '18.4');
    encodeParameterStatus(writer, 'TimeZone', 'UTC');
    encodeParameterStatus(writer, 'TimeZone', 'Asia/Seoul');
    encodeBackendKeyData(writer, 4711, Buffer.from([1, 2, 3, 4]));
  });
  one.sendBytes(constants.readyForQueryIdle);
}

export function expectReady(one: Peer): void {
  expect(one.handshake.failure).toBe(null);
  expect(one.handshake.state).toBe(HandshakeState.Ready);
  expect([...one.handshake.parameters]).toEqual([
    ['server_version', '18.4'],
    ['TimeZone', 'Asia/Seoul'],
  ]);
  expect(one.handshake.processId).toBe(4711);
  expect(one.handshake.secretKey).toEqual(Buffer.from([1, 2, 3, 4]));
}
