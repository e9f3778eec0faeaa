/**
 * Logins that are attacks: malformed at every step, replayed, downgraded, out of order. Each ends
 * that one connection in Postgres's words, nobody gets in, and no secret is to be found anywhere.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ScramClient } from '../../src/auth/scram-client.ts';
import { deriveKeys } from '../../src/auth/scram-keys.ts';
import { sharedCluster, withClient } from '../support/cluster.ts';
import { TEST_USERS } from '../support/cluster-facts.ts';
import {
  errorText,
  int32,
  message,
  query,
  RawClient,
  type RawMessage,
  startup,
} from '../support/raw-client.ts';
import { startSluice, type TestSluice } from '../support/sluice.ts';

const { user, password } = TEST_USERS.scram;
const MECHANISM = 'SCRAM-SHA-256';
let sluice: TestSluice;

beforeAll(async () => {
  sluice = await startSluice(sharedCluster(), { config: { auth: { failure_delay: '10ms' } } });
});
afterAll(() => sluice.stop());

/** Up to the offer of mechanisms. */
async function greeted(name: string = user): Promise<RawClient> {
  const client = await RawClient.open(sluice.port);
  client.send(startup({ user: name, database: 'postgres' }));
  await client.until('R');
  return client;
}

function initial(text: string, mechanism = MECHANISM): Buffer {
  return message('p', mechanism, int32(text.length), Buffer.from(text, 'latin1'));
}

const response = (text: string): Buffer => message('p', Buffer.from(text, 'latin1'));

function saslData([last]: RawMessage[]): Buffer {
  return last!.body.subarray(4);
}

/** A login that keeps what it sent; null when it was refused. */
async function login(client: RawClient): Promise<{ first: Buffer; final: Buffer }> {
  const scram = new ScramClient();
  const first = initial(scram.first().toString('latin1'));
  client.send(first);
  const { salt, iterations } = scram.challenge(saslData(await client.until('R')));
  const final = response(
    scram.finish(await deriveKeys(password, salt, iterations)).toString('latin1'),
  );
  client.send(final);
  return { first, final };
}

async function ends(client: RawClient): Promise<string> {
  const messages = await client.end();
  expect(messages.map(({ code }) => code)).not.toContain('Z');
  const last = messages.at(-1);
  return last?.code === 'E' ? errorText(last) : 'closed';
}

describe('in the first answer', () => {
  test.each([
    ['another mechanism', initial('n,,n=,r=C', 'PLAIN'), 'invalid SASL authentication mechanism'],
    [
      'PLUS, which was not offered',
      initial('p=tls-server-end-point,,n=,r=C', 'SCRAM-SHA-256-PLUS'),
      'invalid SASL',
    ],
    ['binding without PLUS', initial('p=tls-server-end-point,,n=,r=C'), 'not offered'],
    ['no nonce', initial('n,,n='), 'no r='],
    ['another identity', initial('n,a=postgres,n=,r=C'), 'authorization identities'],
    ['a zero byte', initial('n,,n=\0,r=C'), 'zero byte'],
    [
      'a length that is not so',
      message('p', MECHANISM, int32(100), Buffer.from('n,,n=,r=C')),
      'length is 100',
    ],
    ['a negative length', message('p', MECHANISM, int32(-5)), 'length is -5'],
    ['no mechanism', message('p'), 'no terminating zero'],
    ['a query', query('SELECT 1'), 'message'],
    ['a message of 70,000 bytes', response('x'.repeat(70_000)), 'message'],
    ['a message of a gigabyte', Buffer.concat([Buffer.from('p'), int32(1 << 30)]), 'message'],
    ['a message shorter than its length', Buffer.concat([Buffer.from('p'), int32(3)]), 'message'],
  ])('%s', async (_, bytes, problem) => {
    const client = await greeted();
    client.send(bytes);
    expect(await ends(client)).toContain(problem);
  });
});

describe('in the second answer', () => {
  const proof = Buffer.alloc(32).toString('base64');
  test.each([
    ['another nonce', (nonce: string) => `c=biws,r=x${nonce},p=${proof}`, 'nonce'],
    ['half the nonce', (nonce: string) => `c=biws,r=${nonce.slice(0, -1)},p=${proof}`, 'nonce'],
    ['another binding', (nonce: string) => `c=eSws,r=${nonce},p=${proof}`, 'channel binding'],
    ['no proof', (nonce: string) => `c=biws,r=${nonce}`, 'no r='],
    ['a short proof', (nonce: string) => `c=biws,r=${nonce},p=AAAA`, 'the proof is not 32 bytes'],
    ['a long proof', (nonce: string) => `c=biws,r=${nonce},p=${'A'.repeat(60_000)}`, 'the proof'],
    ['nothing', () => '', 'no c='],
    ['a mandatory extension', (nonce: string) => `m=x,c=biws,r=${nonce},p=${proof}`, 'extension'],
  ])('%s', async (_, text, problem) => {
    const client = await greeted();
    client.send(initial('n,,n=,r=C'));
    const first = saslData(await client.until('R')).toString('latin1');
    client.send(response(text(/^r=([^,]*)/.exec(first)![1]!)));
    expect(await ends(client)).toContain(problem);
  });

  test('a proof of nothing is a wrong password', async () => {
    const client = await greeted();
    client.send(initial('n,,n=,r=C'));
    const first = saslData(await client.until('R')).toString('latin1');
    client.send(response(`c=biws,${first.split(',')[0]},p=${proof}`));
    expect(await ends(client)).toBe(`password authentication failed for user "${user}"`);
  });
});

test('a recorded login does not let in again', async () => {
  const client = await greeted();
  const { first, final } = await login(client);
  await client.until('Z');
  client.drop();
  const replayed = await greeted();
  replayed.send(first);
  await replayed.until('R');
  replayed.send(final);
  expect(await ends(replayed)).toBe('SCRAM: the nonce of client-final does not match');
  const early = await greeted();
  early.send(first, final);
  expect(await ends(early)).toContain('nonce');
});

test('answers before the question, and more answers than questions', async () => {
  const early = await RawClient.open(sluice.port);
  early.send(startup({ user, database: 'postgres' }), initial('n,,n=,r=C'));
  expect(await ends(early)).toBe('data before the authentication request');
  const again = await greeted();
  again.send(initial('n,,n=,r=C'), initial('n,,n=,r=C'));
  expect(await ends(again)).toContain('client-final');
});

test('a stranger sees what a user sees', async () => {
  const seen = async (name: string): Promise<string[]> => {
    const client = await greeted(name);
    client.send(initial('n,,n=,r=C'));
    const text = saslData(await client.until('R')).toString('latin1');
    client.drop();
    const [, salt, iterations] = text.split(',');
    return [salt!, iterations!];
  };
  const [known, stranger] = [await seen(user), await seen('nobody')];
  expect(known[1]).toBe(stranger[1]);
  expect(known[0]!.length).toBe(stranger[0]!.length);
  // Neither changes from one attempt to the next.
  expect([await seen(user), await seen('nobody')]).toEqual([known, stranger]);
});

test('no secret is in any log, metric or error', async () => {
  const secret = 'hunter2-is-not-it';
  await withClient(sluice.client({ user, password }), (client) => client.query('SELECT 1'));
  const refused = withClient(sluice.client({ user, password: secret }), async () => {});
  const error: Error = await refused.then(
    () => new Error('let in'),
    (thrown: Error) => thrown,
  );
  const everything = [
    JSON.stringify(sluice.log.lines),
    await sluice.proxy.metrics.text(),
    JSON.stringify({ ...error, message: error.message }),
  ].join('\n');
  expect(everything).toContain('28P01');
  expect(everything).toContain('sluice_login_failures_total{reason="password"}');
  for (const word of [secret, password, sharedCluster().primary.password, 'SCRAM-SHA-256$']) {
    expect(everything).not.toContain(word);
  }
  expect(sluice.log.messages('error')).toEqual([]);
});
