import { describe, expect, test } from 'vitest';
import { Doubts } from '../../../src/backend/doubts.ts';
import { Prepared } from '../../../src/backend/prepared.ts';
import { QuietOwner } from '../../../src/backend/quiet-owner.ts';
import { Action, Expect, ReplyQueue } from '../../../src/backend/reply-queue.ts';

class Owner extends QuietOwner {
  override ready(): void {}
}

const alice = new Owner();
const bob = new Owner();
const { Parse, Bind, Execute, Sync, Query, CopyEnd, Nothing } = Expect;

function queueOf(...expects: readonly Expect[]): ReplyQueue {
  const queue = new ReplyQueue();
  for (const expect of expects) queue.push(expect, Action.Forward, alice);
  return queue;
}

const content = (queue: ReplyQueue): Expect[] =>
  Array.from({ length: queue.length }, (_, index) => queue.at(index).expect);

describe('a reply queue', () => {
  test('keeps its order while it grows and wraps around', () => {
    const queue = new ReplyQueue();
    let pushed = 0;
    let shifted = 0;
    for (let round = 0; round < 200; round++) {
      for (let index = 0; index < 3; index++) {
        queue.push(Bind, Action.Forward, alice);
        queue.giveName(queue.at(queue.length - 1), String(pushed++));
      }
      for (let index = 0; index < 2; index++) expect(queue.shift().name).toBe(String(shifted++));
    }
    expect(queue.length).toBe(200);
    expect(queue.named).toBe(200);
  });

  test('hands out entries with nothing left of their former use', () => {
    const queue = new ReplyQueue();
    const entry = queue.push(Execute, Action.Fake, alice);
    queue.giveName(entry, 'name');
    entry.payload = Buffer.alloc(1);
    entry.prepared = new Prepared(1, Buffer.alloc(0), null, false);
    entry.previous = entry.prepared;
    entry.namesBefore = new Map();
    entry.endsTransaction = true;
    entry.runs = {};
    entry.pin = 'pin';
    queue.shift();
    const again = queue.push(Sync, Action.Drop, bob);
    expect(again).toBe(entry);
    expect({ ...again }).toEqual({ ...new ReplyQueue().push(Sync, Action.Drop, bob) });
    expect(queue.named).toBe(0);
  });

  test('asserts that there is what is asked for', () => {
    const queue = queueOf(Sync);
    expect(() => queue.at(1)).toThrow('no such entry');
    queue.shift();
    expect(queue.head()).toBe(null);
    expect(() => queue.shift()).toThrow('shift of an empty reply queue');
  });

  test('a COPY swallows the Syncs sent ahead of the end of its data', () => {
    const queue = queueOf(Execute, Sync, Sync);
    expect(queue.copyInBegan()).toBe(false);
    expect(content(queue)).toEqual([Execute, Nothing, Nothing]);

    const ended = queueOf(Execute, Sync, CopyEnd, Sync);
    expect(ended.copyInBegan()).toBe(true);
    expect(content(ended)).toEqual([Execute, Nothing, CopyEnd, Sync]);
    ended.copyInEnded();
    expect(content(ended)).toEqual([Execute, Nothing, Nothing, Sync]);
  });

  test('forgets whom it knew when it is cleared', () => {
    const queue = queueOf(Query, Sync);
    const entry = queue.at(0);
    queue.clear();
    expect(queue.length).toBe(0);
    expect(entry.owner).toBe(null);
  });
});

describe('ReadyForQuery is owed', () => {
  test.each<[string, readonly Expect[], boolean]>([
    ['to nobody by an empty queue', [], false],
    ['by a query', [Query], true],
    ['by a Sync', [Parse, Bind, Sync], true],
    ['not by messages without their Sync', [Parse, Bind, Execute], false],
    ['not for certain by a query behind them, which may be ignored', [Parse, Query], false],
    ['by a query behind marks', [CopyEnd, Nothing, Query], true],
    ['by a Sync behind such a query', [Parse, Query, Sync], true],
  ])('%s', (_name, expects, owed) => {
    const queue = queueOf(...expects);
    const doubts = new Doubts(queue);
    expect(doubts.owesReady(alice)).toBe(owed);
    expect(doubts.owesReady(bob)).toBe(false);
  });
});

describe('in doubt is', () => {
  const prepared = new Prepared(1, Buffer.alloc(0), null, false);

  test('a statement whose Parse was sent in another batch and is not answered', () => {
    const doubts = new Doubts(new ReplyQueue());
    expect(doubts.aboutStatement(prepared, 'a')).toBe(false);
    doubts.parseSent(prepared, 'a');
    expect(doubts.aboutStatement(prepared, 'a')).toBe(false);
    doubts.synced();
    expect(doubts.aboutStatement(prepared, 'a')).toBe(true);
    expect(doubts.aboutStatement(prepared, '')).toBe(false);
    doubts.parseOver(prepared, 'a');
    expect(doubts.aboutStatement(prepared, 'a')).toBe(false);
  });

  test('the unnamed statement, until its last Parse is answered', () => {
    const doubts = new Doubts(new ReplyQueue());
    doubts.parseSent(prepared, '');
    doubts.parseSent(prepared, '');
    doubts.synced();
    doubts.parseOver(prepared, '');
    expect(doubts.aboutStatement(prepared, '')).toBe(true);
    doubts.parseOver(prepared, '');
    expect(doubts.aboutStatement(prepared, '')).toBe(false);
  });

  test('a name that was given in a batch whose Sync is not answered', () => {
    const queue = new ReplyQueue();
    const doubts = new Doubts(queue);
    queue.giveName(queue.push(Parse, Action.Forward, alice), 'a');
    expect(doubts.aboutNames(alice)).toBe(false);
    queue.push(Sync, Action.Forward, alice);
    expect(doubts.aboutNames(alice)).toBe(true);
    expect(doubts.aboutNames(bob)).toBe(false);
    queue.shift();
    expect(doubts.aboutNames(alice)).toBe(false);
  });
});
