import { describe, expect, test } from 'vitest';
import { IntrusiveList, ListNode } from '../../../src/util/intrusive-list.ts';

class Item extends ListNode {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
}

const names = (list: IntrusiveList<Item>) => Array.from(list, (item) => item.name).join('');

function filled(text: string): { list: IntrusiveList<Item>; items: Item[] } {
  const list = new IntrusiveList<Item>('test');
  const items = Array.from(text, (name) => new Item(name));
  for (const item of items) list.push(item);
  return { list, items };
}

describe('an intrusive list', () => {
  test('push and shift are first in first out, unshift and shift last in first out', () => {
    const { list } = filled('abc');
    list.unshift(new Item('z'));
    expect(names(list)).toBe('zabc');
    expect([list.shift()?.name, list.first()?.name, list.last()?.name]).toEqual(['z', 'a', 'c']);
    expect(list.length).toBe(3);
  });

  test.each([
    [0, 'bcd'],
    [1, 'acd'],
    [3, 'abc'],
  ])('removing element %i leaves %s in order', (index, left) => {
    const { list, items } = filled('abcd');
    list.remove(items[index]!);
    expect(names(list)).toBe(left);
    expect(list.length).toBe(3);
    expect(items[index]).toMatchObject({ list: null, previous: null, next: null });
  });

  test('emptied, it is as new', () => {
    const { list } = filled('a');
    list.shift();
    expect([list.length, list.first(), list.last(), list.shift()]).toEqual([0, null, null, null]);
    list.push(new Item('b'));
    expect(names(list)).toBe('b');
  });

  test('the element at hand may be removed while iterating', () => {
    const { list } = filled('abcd');
    for (const item of list) if (item.name !== 'c') list.remove(item);
    expect(names(list)).toBe('c');
  });

  test('an element is in one list at a time', () => {
    const { list, items } = filled('ab');
    const other = new IntrusiveList<Item>('other');
    expect(() => other.push(items[0]!)).toThrow('already in a list');
    expect(() => other.unshift(items[0]!)).toThrow('already in a list');
    expect(() => other.remove(items[0]!)).toThrow('in another list');
    list.remove(items[0]!);
    other.push(items[0]!);
    expect([names(list), names(other)]).toEqual(['b', 'a']);
  });
});
