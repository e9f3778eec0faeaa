/** Real clients log in to our half of SCRAM: libpq (psql) and the two drivers Node has. */
import net from 'node:net';
import { Client } from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyCache } from '../../src/auth/scram-keys.ts';
import { offeredMechanisms, ScramServer } from '../../src/auth/scram-server.ts';
import { UserStore } from '../../src/auth/user-store.ts';
import { Frontend } from '../../src/wire/codes.ts';
import * as constants from '../../src/wire/constants.ts';
import * as authentication from '../../src/wire/messages/authentication.ts';
import { decodeSASLInitialResponse, decodeSASLResponse } from '../../src/wire/messages/password.ts';
import { decodeFirstPacket, FirstPacketKind } from '../../src/wire/startup.ts';
import { Writer } from '../../src/wire/writer.ts';
import { psql } from '../support/cluster.ts';

const PASSWORDS = ['new=, password', 'old', 'Grüße\u00a0🐴', '\u2168 비밀번호', 'a\u0340'];
const store = new UserStore(
  [{ name: 'u', passwords: PASSWORDS, databases: null, clients: null }],
  new KeyCache(),
  Buffer.alloc(32, 1),
);

/** Which password each login used; −1 for a refusal. */
const outcomes: number[] = [];
let server: net.Server;
let port = 0;

/** Enough of a server for a login and an empty statement; trusts its clients to behave. */
function serve(socket: net.Socket): void {
  let unread = Buffer.alloc(0);
  let scram: ScramServer | null = null;
  let user = '';
  const answer = (write: (writer: Writer) => void): void => {
    const writer = new Writer();
    write(writer);
    socket.write(writer.take());
  };
  const login = (body: Buffer): void => {
    const exchange = scram!;
    if (!exchange.challenged) {
      const { mechanism, data } = decodeSASLInitialResponse(body, 0, body.length);
      const challenge = exchange.first(mechanism, data);
      answer((writer) => authentication.encodeAuthenticationSASLContinue(writer, challenge));
      return;
    }
    const success = exchange.finish(decodeSASLResponse(body, 0, body.length));
    outcomes.push(success?.passwordIndex ?? -1);
    if (success === null) {
      socket.end(Buffer.from('E\0\0\0\x24SFATAL\0C28P01\0Mpassword failed\0\0', 'latin1'));
      return;
    }
    answer((writer) => authentication.encodeAuthenticationSASLFinal(writer, success.serverFinal));
    socket.write(Buffer.concat([constants.authenticationOk, constants.readyForQueryIdle]));
  };
  const startup = async (packet: Buffer): Promise<void> => {
    const first = decodeFirstPacket(packet, 0, packet.length);
    if (first.kind !== FirstPacketKind.Startup) {
      socket.write(constants.sslNo);
      return;
    }
    user = first.user;
    scram = new ScramServer(await store.scramSecret(user));
    answer((writer) => authentication.encodeAuthenticationSASL(writer, offeredMechanisms(null)));
  };
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    for (;;) {
      const header = scram === null ? 0 : 1;
      if (unread.length < header + 4) return;
      const end = header + unread.readInt32BE(header);
      if (unread.length < end) return;
      const code = unread[0];
      const message = unread.subarray(0, end);
      unread = unread.subarray(end);
      if (header === 0) void startup(message);
      else if (code === Frontend.Password) login(message.subarray(5));
      else if (code === Frontend.Terminate) socket.end();
      else if (code === Frontend.Query) {
        socket.write(Buffer.concat([constants.emptyQueryResponse, constants.readyForQueryIdle]));
      }
    }
  });
}

beforeAll(async () => {
  server = net.createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as net.AddressInfo).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function outcome(): number | undefined {
  return outcomes.splice(0).pop();
}

const numbered = PASSWORDS.map((password, index) => [index, password] as const);

test.each(numbered)('libpq logs in with password %i', async (index, password) => {
  const target = { host: '127.0.0.1', port, user: 'u', password, database: 'd' };
  const result = await psql(target, '', 'sslmode=disable&client_encoding=UTF8');
  expect(result.output).toBe('');
  expect(outcome()).toBe(index);
});

// The drivers do not prepare passwords, so theirs are those that preparation leaves alone.
describe.each(numbered.slice(0, 2))('password %i', (index, password) => {
  test('pg', async () => {
    const client = new Client({ host: '127.0.0.1', port, user: 'u', password, database: 'd' });
    await client.connect();
    expect(outcome()).toBe(index);
    await client.end();
  });

  test('postgres', async () => {
    const target = { host: '127.0.0.1', port, user: 'u', password, database: 'd' };
    const sql = postgres({ ...target, max: 1, fetch_types: false });
    await sql.unsafe('').simple();
    expect(outcome()).toBe(index);
    await sql.end();
  });
});

test.each([
  ['a wrong password', 'u'],
  ['a stranger', 'nobody'],
])('%s is refused at the end of the exchange', async (_name, user) => {
  const target = { host: '127.0.0.1', port, user, password: 'wrong', database: 'd' };
  const result = await psql(target, '', 'sslmode=disable');
  expect(result.code).not.toBe(0);
  expect(result.output).toContain('password failed');
  expect(outcome()).toBe(-1);
});
