/**
 * A doubly linked list whose links live in the elements. Membership changes cost no allocation and
 * no search, which is what lets "a state is membership in exactly one list" be true at a hundred
 * thousand sessions: moving between states is two pointer updates, and a count is `length`.
 *
 * An element is in at most one list at a time; `list` says which, and every operation asserts it.
 */
import { assert } from './assert.ts';

export class ListNode {
  /** The list this element is in, or null. Written by IntrusiveList only. */
  list: IntrusiveList<ListNode> | null = null;
  previous: ListNode | null = null;
  next: ListNode | null = null;
}

export class IntrusiveList<T extends ListNode> {
  readonly name: string;
  length = 0;
  #first: ListNode | null = null;
  #last: ListNode | null = null;

  constructor(name: string) {
    this.name = name;
  }

  first(): T | null {
    return this.#first as T | null;
  }

  last(): T | null {
    return this.#last as T | null;
  }

  /** Adds at the end: with `shift`, first in first out. */
  push(node: T): void {
    assert(node.list === null, 'element is already in a list');
    node.list = this as unknown as IntrusiveList<ListNode>;
    node.previous = this.#last;
    node.next = null;
    if (this.#last === null) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.length++;
  }

  /** Adds at the front: with `shift`, last in first out. */
  unshift(node: T): void {
    assert(node.list === null, 'element is already in a list');
    node.list = this as unknown as IntrusiveList<ListNode>;
    node.previous = null;
    node.next = this.#first;
    if (this.#first === null) this.#last = node;
    else this.#first.previous = node;
    this.#first = node;
    this.length++;
  }

  shift(): T | null {
    const node = this.#first as T | null;
    if (node !== null) this.remove(node);
    return node;
  }

  remove(node: T): void {
    assert(
      node.list === (this as unknown as IntrusiveList<ListNode>),
      'element is in another list',
    );
    if (node.previous === null) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === null) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.list = null;
    node.previous = null;
    node.next = null;
    this.length--;
  }

  /**
   * Iterates from first to last. The current element may be removed while iterating, others not.
   */
  *[Symbol.iterator](): IterableIterator<T> {
    let node = this.#first;
    while (node !== null) {
      const next = node.next;
      yield node as T;
      node = next;
    }
  }
}
