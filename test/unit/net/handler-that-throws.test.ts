/** A defect in a link's handler ends that link, and is told to the handler as the reason. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { HandlerFailed, Link, type LinkHandler } from '../../../src/net/link.ts';

class FakeSocket extends EventEmitter {
  destroy(): void {
    this.emit('close');
  }
}

test.each(['onData', 'onDrain', 'onEnd'] as const)('%s', (which) => {
  const defect = new Error('a defect');
  const ends: (Error | null)[] = [];
  const handler: LinkHandler = {
    onData: () => {},
    onDrain: () => {},
    onEnd: () => {},
    onClose: (error) => ends.push(error),
  };
  handler[which] = () => {
    throw defect;
  };
  const socket = new FakeSocket();
  const link = new Link(socket as unknown as Socket, handler);
  const event = { onData: 'data', onDrain: 'drain', onEnd: 'end' }[which];
  socket.emit(event, Buffer.from('anything'));
  expect(link.closed).toBe(true);
  expect(ends).toHaveLength(1);
  expect(ends[0]).toBeInstanceOf(HandlerFailed);
  expect(ends[0]?.cause).toBe(defect);
});
