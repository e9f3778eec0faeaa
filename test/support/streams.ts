/** Sending and checking hundreds of megabytes without holding them. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { int32, type RawClient } from './raw-client.ts';

/** What long messages are made of: a megabyte of text without quotes or backslashes. */
export const PIECE: Buffer = Buffer.alloc(1_000_000, 'abcdefghijklmnopqrstuvwxy\n');

/** Sends `pieces` times PIECE behind the head of a message that has announced them. */
export async function pour(socket: Socket, pieces: number): Promise<void> {
  for (let index = 0; index < pieces; index++) {
    if (!socket.write(PIECE)) await once(socket, 'drain');
  }
}

/** A message's code and length, for a body that follows in pieces. */
export function head(code: string, bodyBytes: number, ...start: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(code), int32(bodyBytes + 4), ...start]);
}

/** What an answer is, without keeping it: its size and checksum up to ReadyForQuery. */
export function digest(client: RawClient): Promise<{ bytes: number; sha1: string }> {
  const { socket } = client;
  const hash = createHash('sha1');
  let bytes = 0;
  let tail: Buffer = Buffer.alloc(0);
  socket.removeAllListeners('data');
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error(`closed after ${bytes} bytes`)));
    socket.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
      tail = Buffer.concat([tail, chunk.subarray(-6)]).subarray(-6);
      if (tail.subarray(0, 5).toString('latin1') === 'Z\0\0\0\x05') {
        resolve({ bytes, sha1: hash.digest('hex') });
      }
    });
  });
}

/** As Postgres's md5() of `pieces` times PIECE. */
export function md5OfPieces(pieces: number): string {
  const hash = createHash('md5');
  for (let index = 0; index < pieces; index++) hash.update(PIECE);
  return hash.digest('hex');
}
