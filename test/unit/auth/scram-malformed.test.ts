/** Everything a peer can get wrong, at every step, in both roles. */
import { describe, expect, test } from 'vitest';
import { ScramClient } from '../../../src/auth/scram-client.ts';
import { hmac, type ScramKeys, xor } from '../../../src/auth/scram-keys.ts';
import { ScramServer } from '../../../src/auth/scram-server.ts';
import { ProtocolViolation } from '../../../src/errors/protocol-violation.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const key = (fill: number): Buffer => Buffer.alloc(32, fill);
const keys: ScramKeys = { clientKey: key(1), storedKey: key(2), serverKey: key(3) };
const secret = { salt: Buffer.from('salt'), iterations: 7, passwords: [keys], mock: false };
const proof = key(9).toString('base64');

function violation(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ProtocolViolation);
    return (thrown as Error).message;
  }
  return 'no violation';
}

describe('as a server, client-first', () => {
  test.each([
    ['', /channel-binding flag/],
    ['n', /header of client-first is not complete/],
    ['n,', /header of client-first is not complete/],
    ['x,,n=,r=C', /channel-binding flag/],
    ['p=tls-unique,,n=,r=C', /channel binding was asked for but not offered/],
    ['n,a=admin,n=,r=C', /authorization identities/],
    ['n,,', /no n=/],
    ['n,,r=C', /no n=/],
    ['n,,n=user', /no r=/],
    ['n,,n=user,', /no r=/],
    ['n,,n=user,r=', /nonce in client-first is not printable/],
    ['n,,n=user,r=a b', /nonce in client-first is not printable/],
    ['n,,n=user,r=a\x7f', /nonce in client-first is not printable/],
    ['n,,n=user,r=\xe4', /nonce in client-first is not printable/],
    ['n,,m=x,n=user,r=C', /mandatory extension/],
    ['n,,n=user,m=x,r=C', /mandatory extension/],
    ['n,,n=user,r=C,', /garbage at the end of client-first/],
    ['n,,n=user,r=C,rest', /garbage at the end of client-first/],
    ['n,,n=user,r=C\0', /zero byte/],
  ])('%j', (text, expected) => {
    const server = new ScramServer(secret, 'S');
    expect(violation(() => server.first('SCRAM-SHA-256', bytes(text)))).toMatch(expected);
  });

  test('another mechanism than those offered', () => {
    for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'PLAIN', '']) {
      const server = new ScramServer(secret, 'S');
      expect(violation(() => server.first(mechanism, bytes('n,,n=,r=C')))).toMatch(
        /invalid SASL authentication mechanism/,
      );
    }
  });

  test('optional extensions are ignored', () => {
    const server = new ScramServer(secret, 'S');
    const answer = server.first('SCRAM-SHA-256', bytes('n,,n=\xe4\xff,r=C,x=1,y='));
    expect(answer.toString('latin1')).toBe('r=CS,s=c2FsdA==,i=7');
  });
});

describe('as a server, client-final', () => {
  test.each([
    ['', /no c=/],
    [`p=${proof}`, /no c=/],
    [`c=biws,p=${proof}`, /no r=/],
    [`r=CS,c=biws,p=${proof}`, /no c=/],
    ['c=biws,r=CS', /no r=/],
    ['c=biws,r=CS,', /no p=/],
    ['c=biws,r=CS,p=', /proof is not 32 bytes/],
    ['c=biws,r=CS,p=AAAA', /proof is not 32 bytes/],
    [`c=biws,r=CS,p=${proof.slice(0, -1)}`, /proof is not 32 bytes/],
    [`c=biws,r=CS,p=${proof}=`, /proof is not 32 bytes/],
    [`c=biws,r=CS,p= ${proof}`, /proof is not 32 bytes/],
    [`c=biws,r=CS,p=${proof},x=1`, /no p=/],
    [`c=biws,r=CS,p=${proof}\0`, /zero byte/],
    [`c=biws,r=CS,,p=${proof}`, /garbage at the end of client-final/],
    [`c=biws,m=1,r=CS,p=${proof}`, /mandatory extension/],
    [`m=1,c=biws,r=CS,p=${proof}`, /mandatory extension/],
    [`c=eSws,r=CS,p=${proof}`, /channel binding of client-final does not match/],
    [`c=,r=CS,p=${proof}`, /channel binding of client-final does not match/],
    [`c=biw,r=CS,p=${proof}`, /channel binding of client-final does not match/],
    [`c=cD10bHMtdW5pcXVlLCw=,r=CS,p=${proof}`, /channel binding of client-final does not match/],
    [`c=biws,r=C,p=${proof}`, /nonce of client-final does not match/],
    [`c=biws,r=S,p=${proof}`, /nonce of client-final does not match/],
    [`c=biws,r=CSS,p=${proof}`, /nonce of client-final does not match/],
    [`c=biws,r=,p=${proof}`, /nonce of client-final does not match/],
  ])('%j', (text, expected) => {
    const server = new ScramServer(secret, 'S');
    server.first('SCRAM-SHA-256', bytes('n,,n=,r=C'));
    expect(violation(() => server.finish(bytes(text)))).toMatch(expected);
  });

  test('a proof in good form that is wrong is no violation', () => {
    const server = new ScramServer(secret, 'S');
    server.first('SCRAM-SHA-256', bytes('n,,n=,r=C'));
    expect(server.finish(bytes(`c=biws,r=CS,x=1,p=${proof}`))).toBe(null);
  });

  test('only one proof may be tried per exchange', () => {
    const server = new ScramServer(secret, 'S');
    server.first('SCRAM-SHA-256', bytes('n,,n=,r=C'));
    server.finish(bytes(`c=biws,r=CS,p=${proof}`));
    expect(() => server.finish(bytes(`c=biws,r=CS,p=${proof}`))).toThrow('not that far');
  });
});

describe('as a client, server-first', () => {
  test.each([
    ['', /no r=/],
    ['e=other-error', /no r=/],
    ['r=CS', /no s=/],
    ['r=CS,s=c2FsdA==', /no i=/],
    ['s=c2FsdA==,r=CS,i=7', /no r=/],
    ['m=1,r=CS,s=c2FsdA==,i=7', /mandatory extension/],
    ['r=C,s=c2FsdA==,i=7', /does not continue ours/],
    ['r=XS,s=c2FsdA==,i=7', /does not continue ours/],
    ['r=C\x01,s=c2FsdA==,i=7', /not printable/],
    ['r=CS,s=,i=7', /salt is not base64/],
    ['r=CS,s=c2FsdA,i=7', /salt is not base64/],
    ['r=CS,s=c2 sdA==,i=7', /salt is not base64/],
    [`r=CS,s=${Buffer.alloc(1025).toString('base64')},i=7`, /salt is over 1024 bytes/],
    ['r=CS,s=c2FsdA==,i=', /iteration count/],
    ['r=CS,s=c2FsdA==,i=0', /iteration count/],
    ['r=CS,s=c2FsdA==,i=-1', /iteration count/],
    ['r=CS,s=c2FsdA==,i=7x', /iteration count/],
    ['r=CS,s=c2FsdA==,i=4e3', /iteration count/],
    ['r=CS,s=c2FsdA==,i=1000001', /demands 1000001 iterations/],
    ['r=CS,s=c2FsdA==,i=99999999999', /iteration count/],
    ['r=CS,s=c2FsdA==,i=7,', /garbage at the end of server-first/],
    ['r=CS,s=c2FsdA==,i=7\0', /zero byte/],
  ])('%j', (text, expected) => {
    const client = new ScramClient('C');
    client.first();
    expect(violation(() => client.challenge(bytes(text)))).toMatch(expected);
  });
});

describe('as a client, server-final', () => {
  const authMessage = 'n=,r=C,r=CS,s=c2FsdA==,i=7,c=biws,r=CS';
  const signature = hmac(keys.serverKey, authMessage).toString('base64');

  function finished(): ScramClient {
    const client = new ScramClient('C');
    client.first();
    client.challenge(bytes('r=CS,s=c2FsdA==,i=7'));
    const expected = xor(keys.clientKey, hmac(keys.storedKey, authMessage)).toString('base64');
    expect(client.finish(keys).toString()).toBe(`c=biws,r=CS,p=${expected}`);
    return client;
  }

  test('the right signature, with extensions behind it or not', () => {
    expect(() => finished().verify(bytes(`v=${signature}`))).not.toThrow();
    expect(() => finished().verify(bytes(`v=${signature},x=1`))).not.toThrow();
  });

  test.each([
    ['', /no v=/],
    ['v=', /signature is not 32 bytes/],
    ['v=AAAA', /signature is not 32 bytes/],
    [`v=${signature}=`, /signature is not 32 bytes/],
    [`v=${signature},`, /garbage at the end of server-final/],
    [`v=${signature}\0`, /zero byte/],
    [`v=${proof}`, /does not know the password/],
    ['e=invalid-proof', /the server answers "invalid-proof"/],
  ])('%j', (text, expected) => {
    const client = finished();
    expect(violation(() => client.verify(bytes(text)))).toMatch(expected);
  });

  test('a signature before our proof is a defect of the caller', () => {
    const client = new ScramClient('C');
    client.first();
    expect(() => client.verify(bytes(`v=${signature}`))).toThrow('not that far');
  });
});
