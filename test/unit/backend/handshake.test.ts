/** The login at a server, against a scripted server. SCRAM has a file of its own. */
import { describe, expect, test } from 'vitest';
import { HandshakeState } from '../../../src/backend/handshake-states.ts';
import * as constants from '../../../src/wire/constants.ts';
import { encodeErrorResponse, encodeNoticeResponse } from '../../../src/wire/error-response.ts';
import * as authentication from '../../../src/wire/messages/authentication.ts';
import { encodeBackendKeyData } from '../../../src/wire/messages/backend-key-data.ts';
import * as negotiation from '../../../src/wire/messages/negotiate-protocol-version.ts';
import { encodeParameterStatus } from '../../../src/wire/messages/parameter-status.ts';
import { decodePassword } from '../../../src/wire/messages/password.ts';
import { decodeFirstPacket } from '../../../src/wire/startup.ts';
import type { Writer } from '../../../src/wire/writer.ts';
import {
  error,
  expectReady,
  failure,
  finishLogin,
  peer,
  started,
} from '../../support/login-peer.ts';

const { AuthenticationKind } = authentication;

describe('the startup packet', () => {
  test('asks for protocol 3.0 and names what is known', () => {
    const parameters = new Map([
      ['search_path', 'x'],
      ['user', 'not this one'],
      ['application_name', 'nor this'],
    ]);
    const one = peer({ parameters });
    one.handshake.start();
    const output = one.handshake.takeOutput()!;
    const packet = decodeFirstPacket(output, 0, output.length);
    expect([packet.major, packet.minor]).toEqual([3, 0]);
    expect([...packet.parameters]).toEqual([
      ['user', 'u'],
      ['database', 'd'],
      ['search_path', 'x'],
      ['application_name', 'app'],
    ]);
    expect(one.handshake.takeOutput()).toBe(null);
  });

  test('leaves out what nobody gave', () => {
    const one = peer({ applicationName: null });
    one.handshake.start();
    const output = one.handshake.takeOutput()!;
    expect([...decodeFirstPacket(output, 0, output.length).parameters.keys()]).toEqual([
      'user',
      'database',
    ]);
  });
});

describe('ways in', () => {
  test('trust', () => {
    const one = started({ password: null });
    finishLogin(one);
    expectReady(one);
  });

  test('md5', () => {
    const one = started({ user: 'user', password: 'password' });
    one.send((writer) => {
      authentication.encodeAuthenticationMD5Password(writer, Buffer.from([1, 2, 3, 4]));
    });
    const body = one.received();
    expect(decodePassword(body, 0, body.length)).toBe('md5a3576f1ae039b8996bc4fc2720f9c71a');
    finishLogin(one);
    expectReady(one);
  });

  test('cleartext, where nobody can listen', () => {
    const one = started({ secure: true });
    one.send((writer) => {
      authentication.encodeAuthentication(writer, AuthenticationKind.CleartextPassword);
    });
    const body = one.received();
    expect(decodePassword(body, 0, body.length)).toBe('pencil');
    finishLogin(one);
    expectReady(one);
  });

  test('cleartext, where somebody can: not a byte is sent', () => {
    const one = started();
    one.send((writer) => {
      authentication.encodeAuthentication(writer, AuthenticationKind.CleartextPassword);
    });
    expect(failure(one)).toMatch(/^insecure: /);
  });

  test('a longer cancel key, as of protocol 3.2', () => {
    const one = started();
    one.sendBytes(constants.authenticationOk);
    one.send((writer) => encodeBackendKeyData(writer, 1, Buffer.alloc(256, 9)));
    expect(one.handshake.secretKey).toEqual(Buffer.alloc(256, 9));
  });

  test('no cancel key at all, as from some poolers', () => {
    const one = started();
    one.sendBytes(constants.authenticationOk);
    one.sendBytes(constants.readyForQueryIdle);
    expect(one.handshake.state).toBe(HandshakeState.Ready);
    expect(one.handshake.secretKey).toBe(null);
  });
});

describe('ways out', () => {
  test.each([
    [
      'md5',
      (writer: Writer) => authentication.encodeAuthenticationMD5Password(writer, Buffer.alloc(4)),
    ],
    [
      'cleartext',
      (writer: Writer) =>
        authentication.encodeAuthentication(writer, AuthenticationKind.CleartextPassword),
    ],
    [
      'SCRAM',
      (writer: Writer) => authentication.encodeAuthenticationSASL(writer, ['SCRAM-SHA-256']),
    ],
  ])('%s without a password', (_name, write) => {
    const one = started({ password: null, secure: true });
    one.send(write);
    expect(failure(one)).toMatch(/^no-password: /);
  });

  test.each(['GSS', 'SSPI', 'KerberosV5'] as const)('%s', (kind) => {
    const one = started();
    one.send((writer) => authentication.encodeAuthentication(writer, AuthenticationKind[kind]));
    expect(failure(one)).toBe(`unsupported: the server wants ${kind} authentication`);
  });

  test('the rest of a chunk after the end is ignored', () => {
    const one = started();
    one.send((writer) => {
      encodeErrorResponse(writer, { ...error, sqlstate: '3D000', message: 'no such database' });
    });
    one.sendBytes(constants.readyForQueryIdle);
    expect(failure(one)).toBe('refused: the server says FATAL 3D000: no such database');
  });

  test('giving up', () => {
    const one = started();
    one.handshake.abandon();
    expect(failure(one)).toBe('internal: the login was given up');
    one.handshake.abandon();
    finishLogin(one);
    expect(one.handshake.state).toBe(HandshakeState.Failed);
  });
});

describe('what no server may send', () => {
  const sasl = (writer: Writer): void => {
    authentication.encodeAuthenticationSASLContinue(writer, Buffer.from('r=x'));
  };
  const final = (writer: Writer): void => {
    authentication.encodeAuthenticationSASLFinal(writer, Buffer.from('v=x'));
  };
  const parameter = (writer: Writer): void => encodeParameterStatus(writer, 'a', 'b');
  const key = (writer: Writer): void => encodeBackendKeyData(writer, 1, Buffer.alloc(4));
  const bytes = (constant: Buffer) => (writer: Writer) => writer.bytes(constant);

  test.each([
    ['SASLContinue', sasl],
    ['SASLFinal', final],
    ['ParameterStatus', parameter],
    ['BackendKeyData', key],
    ['ReadyForQuery', bytes(constants.readyForQueryIdle)],
    ['NoData', bytes(constants.noData)],
    ['an unknown code', bytes(Buffer.from([0x21, 0, 0, 0, 4]))],
  ])('%s before any request', (_name, write) => {
    const one = started();
    one.send(write);
    expect(failure(one)).toMatch(/^violation: .*in state AwaitingRequest/);
  });

  test.each([
    ['a second Ok', bytes(constants.authenticationOk)],
    ['SASLContinue', sasl],
    ['ParseComplete', bytes(constants.parseComplete)],
  ])('%s after Ok', (_name, write) => {
    const one = started();
    one.sendBytes(constants.authenticationOk);
    one.send(write);
    expect(failure(one)).toMatch(/^violation: .*in state Starting/);
  });

  test('a beginning inside a transaction', () => {
    const one = started();
    one.sendBytes(constants.authenticationOk);
    one.sendBytes(constants.readyForQueryTransaction);
    expect(failure(one)).toMatch(/^violation: .*inside a transaction/);
  });

  test('endless parameters', () => {
    const one = started();
    one.sendBytes(constants.authenticationOk);
    one.send((writer) => {
      for (let i = 0; i < 300; i++) encodeParameterStatus(writer, `p${i}`, 'x');
    });
    expect(failure(one)).toMatch(/^violation: .*over 256 parameters/);
  });

  test('truncated bodies', () => {
    for (const code of [0x52, 0x45, 0x76]) {
      const one = started();
      one.sendBytes(Buffer.from([code, 0, 0, 0, 6, 0, 1]));
      expect(failure(one)).toMatch(/^violation: /);
    }
  });

  test('a newer protocol than was asked for', () => {
    const one = started();
    one.send((writer) => {
      negotiation.encodeNegotiateProtocolVersion(writer, { major: 3, minor: 2, options: [] });
    });
    expect(failure(one)).toMatch(/^violation: .*3\.2 instead of 3\.0/);
  });
});

test('notices and a needless negotiation change nothing', () => {
  const one = started();
  one.send((writer) => {
    negotiation.encodeNegotiateProtocolVersion(writer, { major: 3, minor: 0, options: ['_pq_.x'] });
    encodeNoticeResponse(writer, { ...error, severity: 'WARNING', severityCode: 'WARNING' });
  });
  finishLogin(one);
  expectReady(one);
});
