/** An owner of our own traffic: hears everything, passes nothing on. Extend what you care about. */
import type { TransactionStatus } from '../wire/codes.ts';
import type { Expect, ReplyEntry } from './reply-queue.ts';
import type { ReplyOwner } from './reply-owner.ts';
import type { ServerConnection } from './server-connection.ts';
import type { ErrorFacts } from './server-messages.ts';

export abstract class QuietOwner implements ReplyOwner {
  deliver(_chunk: Buffer, _start: number, _end: number): boolean {
    return true;
  }
  completed(_server: ServerConnection, _entry: ReplyEntry, _tag: Buffer): void {}
  errored(_server: ServerConnection, _entry: ReplyEntry, _error: ErrorFacts): void {}
  skipped(_server: ServerConnection, _entry: ReplyEntry): void {}
  copyInBegan(_server: ServerConnection): void {}
  parameterChanged(_server: ServerConnection, _name: string, _value: string): void {}
  progressed(_server: ServerConnection): void {}
  writable(_server: ServerConnection): void {}
  lost(_server: ServerConnection, _reason: string): void {}
  abstract ready(server: ServerConnection, status: TransactionStatus, expect: Expect): void;
}
