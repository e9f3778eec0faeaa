/** What is sent from a scratch writer must not change when the writer is used again. */
import type { Socket } from 'node:net';
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { Pool } from '../../../src/backend/pool.ts';
import { ServerConnection } from '../../../src/backend/server-connection.ts';
import { Link } from '../../../src/net/link.ts';
import { Writer } from '../../../src/wire/writer.ts';

/** A socket whose peer reads nothing: it keeps what it is given, as Node's does. */
class FullSocket extends EventEmitter {
  readonly kept: Buffer[] = [];
  get writableLength(): number {
    return this.kept.reduce((sum, one) => sum + one.length, 0);
  }
  write(chunk: Buffer): boolean {
    this.kept.push(chunk);
    return false;
  }
}

test.each([100, 4_096, 4_097, 60_000, 100_000])('%i bytes stay what they were', (bytes) => {
  const socket = new FullSocket();
  const server = new ServerConnection(1, { spec: {}, era: 0 } as Pool, 0);
  server.link = new Link(socket as unknown as Socket, server);
  const scratch = new Writer();
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(bytes));
  for (const text of texts) {
    scratch.text(text);
    server.sendWritten(scratch);
    expect(scratch.length).toBe(0);
  }
  server.link.flush();
  expect(Buffer.concat(socket.kept).toString('latin1')).toBe(texts.join(''));
});
