/**
 * Somebody who wants a server: a client's session, or a login that has to ask the server something.
 * While it waits it is an element of exactly one pool's `waiting` list, oldest first.
 */
import type { ProxyError } from '../errors/proxy-error.ts';
import { ListNode } from '../util/intrusive-list.ts';
import type { ReplyOwner } from './reply-owner.ts';
import type { ServerConnection } from './server-connection.ts';

export abstract class Waiter extends ListNode {
  /** When it began to wait; meaningful only while it waits. */
  waitingSinceMs = 0;
  /** Order over all pools of a slot budget. */
  waitingOrder = 0;

  /** Who the server's replies will be for. */
  abstract get replyOwner(): ReplyOwner;
  /** The wait is over: the server is leased to `replyOwner`. The list has been left. */
  abstract granted(server: ServerConnection): void;
  /** The wait is over without a server. The list has been left. */
  abstract refused(error: ProxyError): void;
}
