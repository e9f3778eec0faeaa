/** SCRAM in the login at a server, our own server role on the other side. */
import { describe, expect, test } from 'vitest';
import { deriveKeys, KeyCache } from '../../../src/auth/scram-keys.ts';
import { type ScramSecret, ScramServer } from '../../../src/auth/scram-server.ts';
import { HandshakeState } from '../../../src/backend/handshake-states.ts';
import * as constants from '../../../src/wire/constants.ts';
import { encodeErrorResponse } from '../../../src/wire/error-response.ts';
import * as authentication from '../../../src/wire/messages/authentication.ts';
import {
  decodeSASLInitialResponse,
  decodeSASLResponse,
} from '../../../src/wire/messages/password.ts';
import {
  error,
  expectReady,
  failure,
  finishLogin,
  type Peer,
  started,
} from '../../support/login-peer.ts';

const ITERATIONS = 3;
const SALT = Buffer.from('0123456789abcdef');

describe('SCRAM', () => {
  async function secret(password = 'pencil'): Promise<ScramSecret> {
    const passwords = [await deriveKeys(password, SALT, ITERATIONS)];
    return { salt: SALT, iterations: ITERATIONS, passwords, mock: false };
  }

  /** Up to the challenge, which is sent; the proof may still be under way. */
  function challenge(one: Peer, server: ScramServer): void {
    one.send((writer) => {
      const mechanisms = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];
      authentication.encodeAuthenticationSASL(writer, mechanisms);
    });
    const body = one.received();
    const { mechanism, data } = decodeSASLInitialResponse(body, 0, body.length);
    const answer = server.first(mechanism, data);
    one.send((writer) => authentication.encodeAuthenticationSASLContinue(writer, answer));
  }

  function prove(one: Peer, server: ScramServer): boolean {
    const body = one.received();
    const success = server.finish(decodeSASLResponse(body, 0, body.length));
    if (success === null) return false;
    one.send((writer) => {
      authentication.encodeAuthenticationSASLFinal(writer, success.serverFinal);
    });
    return true;
  }

  test('waits for the derivation once, then never again', async () => {
    const keys = new KeyCache();
    const derived = Promise.withResolvers<void>();
    const first = started({ keys, resumed: derived.resolve });
    const slow = new ScramServer(await secret());
    challenge(first, slow);
    expect(first.handshake.state).toBe(HandshakeState.Deriving);
    expect(first.handshake.takeOutput()).toBe(null);
    await derived.promise;
    expect(prove(first, slow)).toBe(true);
    finishLogin(first);
    expectReady(first);

    const second = started({ keys });
    const server = new ScramServer(await secret());
    challenge(second, server);
    expect(second.handshake.state).toBe(HandshakeState.AwaitingProof);
    expect(prove(second, server)).toBe(true);
    finishLogin(second);
    expectReady(second);
    expect(second.resumed()).toBe(0);
  });

  /** A peer that has the keys already, so that nothing is asynchronous. */
  async function prepared(password = 'pencil'): Promise<Peer> {
    const keys = new KeyCache();
    await keys.get(password, SALT, ITERATIONS);
    return started({ keys, password });
  }

  test('a wrong password is the server to refuse', async () => {
    const one = await prepared('pencils');
    const server = new ScramServer(await secret('pencil'));
    challenge(one, server);
    expect(prove(one, server)).toBe(false);
    one.send((writer) => encodeErrorResponse(writer, error));
    expect(failure(one)).toMatch(/^refused: the server says FATAL 28P01/);
    expect(one.handshake.failure?.fields).toEqual(error);
  });

  test('Ok before the server has proved itself is refused', async () => {
    for (const stage of ['first', 'challenge']) {
      const one = await prepared();
      const server = new ScramServer(await secret());
      if (stage === 'challenge') challenge(one, server);
      else one.send((writer) => authentication.encodeAuthenticationSASL(writer, ['SCRAM-SHA-256']));
      one.handshake.takeOutput();
      one.sendBytes(constants.authenticationOk);
      expect(failure(one)).toMatch(/^violation: the server sent AuthenticationOk/);
    }
  });

  test('a server that only pretends to know the password is refused', async () => {
    const one = await prepared();
    challenge(one, new ScramServer(await secret()));
    one.handshake.takeOutput();
    const forged = Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`);
    one.send((writer) => authentication.encodeAuthenticationSASLFinal(writer, forged));
    expect(failure(one)).toBe('violation: SCRAM: the server does not know the password');
  });

  test('a password cannot be lured out after SCRAM has begun', async () => {
    const one = await prepared();
    challenge(one, new ScramServer(await secret()));
    one.handshake.takeOutput();
    one.send((writer) => {
      authentication.encodeAuthenticationMD5Password(writer, Buffer.from([1, 2, 3, 4]));
    });
    expect(failure(one)).toMatch(/^violation: the server sent AuthenticationMD5Password/);
  });

  test('a server that gives up during the derivation is heard, and nothing follows', async () => {
    const gate = Promise.withResolvers<void>();
    let derived = Promise.resolve();
    const keys = new KeyCache((...input) => {
      const derivation = gate.promise.then(() => deriveKeys(...input));
      derived = derivation.then(() => {});
      return derivation;
    });
    const one = started({ keys });
    challenge(one, new ScramServer(await secret()));
    expect(one.handshake.state).toBe(HandshakeState.Deriving);
    one.send((writer) => encodeErrorResponse(writer, { ...error, sqlstate: '57P01' }));
    expect(failure(one)).toMatch(/^refused: the server says FATAL 57P01/);
    gate.resolve();
    await derived;
    await new Promise(setImmediate);
    expect(one.resumed()).toBe(0);
    expect(one.handshake.takeOutput()).toBe(null);
  });

  test('a derivation that fails ends the login', async () => {
    const ended = Promise.withResolvers<void>();
    const keys = new KeyCache(() => Promise.reject(new Error('no memory')));
    const one = started({ keys, resumed: ended.resolve });
    challenge(one, new ScramServer(await secret()));
    await ended.promise;
    expect(failure(one)).toBe('internal: no keys: no memory');
  });

  test('no mechanism we know', () => {
    const one = started();
    one.send((writer) => {
      authentication.encodeAuthenticationSASL(writer, ['SCRAM-SHA-256-PLUS', 'OAUTHBEARER']);
    });
    expect(failure(one)).toMatch(/^unsupported: .*SCRAM-SHA-256-PLUS, OAUTHBEARER$/);
  });
});
