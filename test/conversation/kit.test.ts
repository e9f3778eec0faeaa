/** The kit itself: a client and a server that talk to each other with nobody between them. */
import { describe, expect, test } from 'vitest';
import { sync, terminate } from '../../src/wire/constants.ts';
import { memorySockets } from './memory-socket.ts';
import * as say from './say.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { golden, Transcript } from './transcript.ts';

function talk(): { client: ScriptedPeer; server: ScriptedPeer; transcript: Transcript } {
  const transcript = new Transcript();
  const [near, far] = memorySockets();
  const client = new ScriptedPeer('client', 'client', near, transcript);
  const server = new ScriptedPeer('server', 'server', far, transcript);
  return { client, server, transcript };
}

describe('a scripted conversation', () => {
  test('is written down message by message', async () => {
    const { client, server, transcript } = talk();
    client.sendFirstPacket(say.startup({ user: 'alice' }));
    await server.next('StartupMessage');
    server.send(say.welcome(7, Buffer.alloc(4)));
    await client.next('ReadyForQuery');
    transcript.clear();

    client.send(say.parse('', 'select $1'), say.bind('', '', ['x']), say.execute(''), sync);
    await server.next('Sync');
    server.send(say.columns('a'), say.row('x'), say.complete('SELECT 1'), say.ready('I'));
    await client.next('ReadyForQuery');
    client.send(terminate);
    client.end();
    await server.next('Terminate');

    expect(transcript.text('server')).toBe(
      golden(`
        server F 17 Parse "" "select $1" 0
        server F 17 Bind "" "" 0 1 1 'x' 0
        server F 9 Execute "" 0
        server F 4 Sync
        server B 26 RowDescription 1 "a" NNNN 0 NNNN 65535 -1 0
        server B 11 DataRow 1 1 'x'
        server B 13 CommandComplete "SELECT 1"
        server B 5 ReadyForQuery I
        server F 4 Terminate
      `),
    );
  });

  test('does not depend on how bytes are cut', async () => {
    const { client, server, transcript } = talk();
    client.sendFirstPacket(say.startup({ user: 'alice' }));
    await server.next('StartupMessage');
    transcript.clear();
    for (const byte of say.query('select 1')) client.sendRaw(Buffer.of(byte));
    await server.next('Query');
    expect(transcript.text('server')).toBe('server F 13 Query "select 1"');
  });

  test('a wait fails with the transcript when the other end leaves', async () => {
    const { client, server } = talk();
    const waiting = client.next('ReadyForQuery');
    server.send(say.error('57P01', 'bye', 'FATAL'));
    server.end();
    await expect(waiting).rejects.toThrow(/left before ReadyForQuery:.*57P01/s);
    await expect(client.next('ReadyForQuery')).rejects.toThrow('left before ReadyForQuery');
  });

  test('a vanished end is noticed, and a reset is an error there', async () => {
    const first = talk();
    first.server.destroy();
    await expect(first.client.next('ReadyForQuery')).rejects.toThrow('left');

    const [near, far] = memorySockets();
    const failed = new Promise<Error>((resolve) => far.once('error', resolve));
    near.reset();
    expect((await failed).message).toBe('read ECONNRESET');
  });
});

test('a memory socket tells its writer to wait, and copies what is written', async () => {
  const [near, far] = memorySockets();
  const chunk = Buffer.alloc(100_000, 1);
  expect(near.write(chunk)).toBe(false);
  chunk.fill(2);
  const drained = new Promise<void>((resolve) => near.once('drain', resolve));
  const read: Buffer[] = [];
  far.on('data', (bytes: Buffer) => read.push(bytes));
  await drained;
  expect(Buffer.concat(read).every((byte) => byte === 1)).toBe(true);
});
