/**
 * What a server still owes, in the order it will answer: the one idea behind leases, rides and our
 * own traffic. Each entry knows what reply ends it, whose it is, and whether the reply is passed
 * on, dropped, replaced, or made up here because the server never saw the question.
 *
 * In Postgres's own terms:
 *  - Query, FunctionCall and Sync are answered by ReadyForQuery and by nothing else.
 *  - Parse, Bind, Close, Describe and Execute are answered one by one. An error in any of them
 *    makes the server ignore what follows up to the next Sync, so their entries are never
 *    answered: they are taken out and their effects undone (`skipToSync`).
 *  - Flush is answered by nothing and has no entry.
 *  - Once COPY FROM STDIN runs, the server ignores Sync until CopyDone or CopyFail, so a Sync that
 *    was sent ahead of those is not answered either. `CopyEnd` marks where they were sent.
 *
 * Entries are reused: a caller that keeps one past the call in which it got it has a bug.
 *
 * Budget: no allocation per entry once the ring has grown to the depth in use.
 */
import { assert } from '../util/assert.ts';
import type { Prepared } from './prepared.ts';
import type { ReplyOwner } from './reply-owner.ts';

/** What ends an entry. */
export const Expect = {
  /** Nothing: the entry leaves as soon as it is at the head. Also what an answered one becomes. */
  Nothing: 0,
  /** ParseComplete. */
  Parse: 1,
  /** BindComplete. */
  Bind: 2,
  /** CloseComplete. */
  Close: 3,
  /** RowDescription or NoData, after ParameterDescription where a statement is described. */
  Describe: 4,
  /** CommandComplete, EmptyQueryResponse or PortalSuspended. */
  Execute: 5,
  /** ReadyForQuery. */
  Sync: 6,
  /** Any number of results, then ReadyForQuery. */
  Query: 7,
  /** A result or an error, then ReadyForQuery. */
  FunctionCall: 8,
  /** Nothing: here the client has ended its COPY data. */
  CopyEnd: 9,
} as const;
export type Expect = (typeof Expect)[keyof typeof Expect];

export const Action = {
  /** The reply goes to the owner. */
  Forward: 0,
  /** The reply is ours; an error in an injected Parse goes to the owner all the same. */
  Drop: 1,
  /** The server fails here because we made it; the owner gets `payload` instead of its words. */
  ReplaceError: 2,
  /** The server never saw the question; the owner gets `payload` when its turn comes. */
  Fake: 3,
} as const;
export type Action = (typeof Action)[keyof typeof Action];

export class ReplyEntry {
  expect: Expect = Expect.Nothing;
  action: Action = Action.Forward;
  owner: ReplyOwner | null = null;
  /** The made-up reply or error. */
  payload: Buffer | null = null;
  /** What a Parse or Close is about, so that it can be undone. */
  prepared: Prepared | null = null;
  /** The name the client calls it by; empty for the unnamed one. */
  name = '';
  /** What the client's unnamed statement was before this Parse. */
  previous: Prepared | null = null;
  /** The client's names before this, which makes the server forget them all if it succeeds. */
  namesBefore: Map<string, Prepared> | null = null;
  /** Running it ends a transaction: it must not be cancelled for a client that has vanished. */
  endsTransaction = false;
  /** What the server runs for it, in the owner's own terms; null where it runs nothing. */
  runs: object | null = null;
  /** Why the owner must keep the server once this has run; the owner's own words. */
  pin: string | null = null;
}

const CAPACITY_INITIAL = 16;

export class ReplyQueue {
  length = 0;
  /** Entries that give a name or take one back. */
  named = 0;
  /** The last Sync that was sent has been swallowed by a COPY: the batch it was to end is open. */
  syncSwallowed = false;
  #entries: ReplyEntry[];
  #first = 0;
  #mask: number;

  constructor() {
    this.#entries = Array.from({ length: CAPACITY_INITIAL }, () => new ReplyEntry());
    this.#mask = CAPACITY_INITIAL - 1;
  }

  head(): ReplyEntry | null {
    return this.length === 0 ? null : (this.#entries[this.#first] as ReplyEntry);
  }

  at(index: number): ReplyEntry {
    assert(index >= 0 && index < this.length, 'no such entry');
    return this.#entries[(this.#first + index) & this.#mask] as ReplyEntry;
  }

  /** Adds an entry at the end and returns it with every field set; the caller may set more. */
  push(expect: Expect, action: Action, owner: ReplyOwner | null): ReplyEntry {
    if (this.length > this.#mask) this.#grow();
    const entry = this.#entries[(this.#first + this.length) & this.#mask] as ReplyEntry;
    entry.expect = expect;
    entry.action = action;
    entry.owner = owner;
    entry.payload = null;
    entry.prepared = null;
    entry.name = '';
    entry.previous = null;
    entry.namesBefore = null;
    entry.endsTransaction = false;
    entry.runs = null;
    entry.pin = null;
    this.length++;
    return entry;
  }

  /** `name` is the client's; empty for the unnamed statement. */
  giveName(entry: ReplyEntry, name: string): void {
    entry.name = name;
    if (name !== '') this.named++;
  }

  /** Removes the head. The entry's fields stay readable until the next `push`. */
  shift(): ReplyEntry {
    assert(this.length > 0, 'shift of an empty reply queue');
    const entry = this.#entries[this.#first] as ReplyEntry;
    this.#first = (this.#first + 1) & this.#mask;
    this.length--;
    if (entry.name !== '') this.named--;
    // Traffic of one message at a time always uses the same entry, and keeps one statement alive.
    if (this.length === 0) this.#first = 0;
    return entry;
  }

  /**
   * The server has begun to take COPY data for the entry at the head: the Syncs it was sent before
   * the data's end are swallowed. Returns whether that end has been sent already.
   */
  copyInBegan(): boolean {
    let ended = false;
    for (let index = 1; index < this.length; index++) {
      const entry = this.at(index);
      if (entry.expect === Expect.CopyEnd) ended = true;
      else if (entry.expect === Expect.Sync) {
        this.syncSwallowed = !ended;
        if (!ended) entry.expect = Expect.Nothing;
      }
    }
    return ended;
  }

  /** The COPY at the head is over; its end mark, if it was sent, means nothing further. */
  copyInEnded(): void {
    for (let index = 1; index < this.length; index++) {
      const entry = this.at(index);
      if (entry.expect === Expect.CopyEnd) {
        entry.expect = Expect.Nothing;
        return;
      }
    }
  }

  /** Drops every reference to clients, for a server that is being thrown away. */
  clear(): void {
    for (const entry of this.#entries) {
      entry.owner = null;
      entry.payload = null;
      entry.prepared = null;
      entry.previous = null;
      entry.runs = null;
      entry.namesBefore = null;
    }
    this.length = 0;
    this.named = 0;
  }

  #grow(): void {
    const capacity = this.#entries.length;
    const grown = new Array<ReplyEntry>(capacity * 2);
    for (let index = 0; index < capacity; index++) {
      grown[index] = this.#entries[(this.#first + index) & this.#mask] as ReplyEntry;
    }
    for (let index = capacity; index < capacity * 2; index++) grown[index] = new ReplyEntry();
    this.#entries = grown;
    this.#first = 0;
    this.#mask = capacity * 2 - 1;
  }
}

export function endsWithReady(expect: Expect): boolean {
  return expect === Expect.Sync || expect === Expect.Query || expect === Expect.FunctionCall;
}

export function isMark(expect: Expect): boolean {
  return expect === Expect.Nothing || expect === Expect.CopyEnd;
}
