/**
 * Takes the place of `net.connect` for a whole test file: whoever dials gets what the handler
 * makes, and no socket is opened.
 */
import net from 'node:net';

export interface DialOptions {
  readonly onread?: OnRead;
}

/** The way of `net.connect` to be told of bytes without the stream: see `OnReadOpts` of Node. */
export interface OnRead {
  readonly buffer: () => Uint8Array;
  readonly callback: (length: number, buffer: Uint8Array) => boolean;
}

let handler: ((options: DialOptions) => net.Socket) | null = null;

net.connect = ((options: DialOptions) => {
  if (handler === null) throw new Error('a dial that nobody expects');
  return handler(options);
}) as unknown as typeof net.connect;

/** From now on, dials end here. */
export function onDial(next: (options: DialOptions) => net.Socket): void {
  handler = next;
}
