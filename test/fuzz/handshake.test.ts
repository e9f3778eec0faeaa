/** A server that says anything at all while we log in to it. */
import { expect, test } from 'vitest';
import { KeyCache } from '../../src/auth/scram-keys.ts';
import { HandshakeState } from '../../src/backend/handshake-states.ts';
import * as constants from '../../src/wire/constants.ts';
import { encodeErrorResponse } from '../../src/wire/error-response.ts';
import * as authentication from '../../src/wire/messages/authentication.ts';
import { encodeBackendKeyData } from '../../src/wire/messages/backend-key-data.ts';
import { encodeParameterStatus } from '../../src/wire/messages/parameter-status.ts';
import { Writer } from '../../src/wire/writer.ts';
import { error, started } from '../support/login-peer.ts';
import { fuzzSeed, Random } from '../support/random.ts';

const seed = fuzzSeed();
const ROUNDS = 3000;

const conversation = [
  (writer: Writer) => authentication.encodeAuthenticationSASL(writer, ['SCRAM-SHA-256']),
  (writer: Writer) =>
    authentication.encodeAuthenticationSASLContinue(writer, Buffer.from('r=x,s=c2FsdA==,i=1')),
  (writer: Writer) => authentication.encodeAuthenticationMD5Password(writer, Buffer.alloc(4)),
  (writer: Writer) => writer.bytes(constants.authenticationOk),
  (writer: Writer) => encodeParameterStatus(writer, 'a', 'b'),
  (writer: Writer) => encodeBackendKeyData(writer, 1, Buffer.alloc(4)),
  (writer: Writer) => encodeErrorResponse(writer, error),
  (writer: Writer) => writer.bytes(constants.readyForQueryIdle),
];

test(`ends in Ready, or Failed with a reason, and never in an exception (seed ${seed})`, () => {
  const random = new Random(seed);
  const reached = new Set<string>();
  const keys = new KeyCache();
  for (let round = 0; round < ROUNDS; round++) {
    const one = started({ keys });
    for (let step = 0; step < 8 && one.handshake.state < HandshakeState.Ready; step++) {
      const writer = new Writer();
      conversation[random.below(conversation.length)]!(writer);
      const bytes = writer.take();
      // Half of them damaged in one byte of code or body; the length is the framer's business.
      const at = random.below(bytes.length);
      if (random.below(2) === 0 && (at === 0 || at > 4)) bytes[at] = random.below(256);
      one.handshake.message(bytes[0]!, bytes, 5, bytes.length);
    }
    const { state, failure: reason } = one.handshake;
    expect(state === HandshakeState.Failed, `round ${round}`).toBe(reason !== null);
    reached.add(reason?.kind ?? String(state));
  }
  expect([...reached]).toContain('violation');
  expect([...reached]).toContain('refused');
  expect([...reached]).toContain(String(HandshakeState.Ready));
});
