import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Link, type LinkHandler } from '../../../src/net/link.ts';

/** Takes what it is given and remembers it; says "enough" when told to. */
class FakeSocket extends EventEmitter {
  readonly writes: Buffer[] = [];
  readonly calls: string[] = [];
  takes = true;
  writableLength = 0;
  expire: (() => void) | null = null;
  readonly setTimeout = (_ms: number, expire: () => void): void => {
    this.expire = expire;
  };

  write(chunk: Buffer): boolean {
    this.writes.push(Buffer.from(chunk));
    return this.takes;
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
    this.emit('close');
  }
}

class Recorder implements LinkHandler {
  readonly events: string[] = [];
  onChunk: (chunk: Buffer) => void = () => {};

  onData(chunk: Buffer): void {
    this.events.push(`data ${chunk.toString('latin1')}`);
    this.onChunk(chunk);
  }

  onDrain(): void {
    this.events.push('drain');
  }

  onEnd(): void {
    this.events.push('end');
  }

  onClose(error: Error | null): void {
    this.events.push(`close ${error?.message ?? 'in good order'}`);
  }
}

function make(): { link: Link; socket: FakeSocket; handler: Recorder } {
  const socket = new FakeSocket();
  const handler = new Recorder();
  return { link: new Link(socket as unknown as Socket, handler), socket, handler };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const texts = (socket: FakeSocket): string[] =>
  socket.writes.map((write) => write.toString('latin1'));

describe('writing', () => {
  test('what one turn has written leaves in one write, at its end', async () => {
    const { link, socket } = make();
    const scratch = Buffer.from('one');
    link.writeAll(scratch);
    scratch.write('two');
    link.write(scratch, 1, 3);
    expect(socket.writes).toEqual([]);
    await turn();
    expect(texts(socket)).toEqual(['onewo']);
    expect(link.bytesWritten).toBe(5);
  });

  test('keeps the order when a large run comes between', async () => {
    const { link, socket } = make();
    link.writeAll(Buffer.from('before'));
    link.writeAll(Buffer.alloc(5_000, 'x'));
    link.writeAll(Buffer.from('behind'));
    await turn();
    expect(texts(socket)).toEqual(['before', 'x'.repeat(5_000), 'behind']);
  });

  test('keeps the order when it is more than is collected', async () => {
    const { link, socket } = make();
    const expected: string[] = [];
    for (let index = 0; index < 100; index++) {
      const text = `${index} `.repeat(100);
      expected.push(text);
      link.writeAll(Buffer.from(text));
    }
    await turn();
    expect(texts(socket).join('')).toBe(expected.join(''));
    expect(socket.writes.length).toBeLessThan(5);
  });

  test('says when the peer has enough, until it drains', async () => {
    const { link, socket, handler } = make();
    socket.takes = false;
    expect(link.writeAll(Buffer.from('small'))).toBe(true);
    await turn();
    expect(link.full).toBe(true);
    expect(link.writeAll(Buffer.from('more'))).toBe(false);
    await turn();
    socket.takes = true;
    socket.emit('drain');
    expect(handler.events).toEqual(['drain']);
    expect(link.writeAll(Buffer.from('again'))).toBe(true);
  });

  test('reports that a chunk it was passed is still needed', () => {
    const { link, socket, handler } = make();
    handler.onChunk = (chunk) => void link.writeAll(chunk);
    expect(link.take(Buffer.alloc(5_000))).toBe(false);
    socket.writableLength = 5_000;
    expect(link.take(Buffer.alloc(5_000))).toBe(true);
    expect(link.take(Buffer.alloc(100))).toBe(false);
  });
});

describe('reading', () => {
  test('is paused and resumed once each', () => {
    const { link, socket } = make();
    link.resume();
    link.pause();
    link.pause();
    link.resume();
    link.resume();
    expect(socket.calls).toEqual(['pause', 'resume']);
  });

  test('counts bytes', () => {
    const { link, socket, handler } = make();
    socket.emit('data', Buffer.from('hello'));
    expect(link.bytesRead).toBe(5);
    expect(handler.events).toEqual(['data hello']);
  });
});

describe('the end', () => {
  test('in good order: what is pending is sent, what still comes is dropped', async () => {
    const { link, socket, handler } = make();
    link.pause();
    link.writeAll(Buffer.from('bye'));
    link.end();
    expect(texts(socket)).toEqual(['bye']);
    expect(socket.calls).toEqual(['pause', 'end', 'resume']);
    link.writeAll(Buffer.from('too late'));
    socket.emit('data', Buffer.from('too late as well'));
    await turn();
    expect(texts(socket)).toEqual(['bye']);
    socket.emit('end');
    expect(handler.events).toEqual(['close in good order']);
    expect(link.closed).toBe(true);
  });

  test('a peer that does not close is not waited for', () => {
    const { link, socket, handler } = make();
    link.end();
    socket.expire?.();
    expect(handler.events).toEqual(['close in good order']);
  });

  test('at once: what is pending is lost', async () => {
    const { link, socket, handler } = make();
    link.writeAll(Buffer.from('lost'));
    link.destroy();
    link.destroy();
    await turn();
    expect(socket.writes).toEqual([]);
    expect(handler.events).toEqual(['close in good order']);
  });

  test('is heard once, with its reason', () => {
    const { socket, handler } = make();
    socket.emit('end');
    socket.emit('error', new Error('read ECONNRESET'));
    socket.emit('close');
    socket.emit('close');
    expect(handler.events).toEqual(['end', 'close read ECONNRESET']);
  });

  test('comes when its handler fails, and reaches nobody else', () => {
    const { link, socket, handler } = make();
    handler.onChunk = () => {
      throw new Error('a defect');
    };
    socket.emit('data', Buffer.from('x'));
    expect(link.closed).toBe(true);
    expect(handler.events).toEqual(['data x', 'close internal error']);
  });
});
