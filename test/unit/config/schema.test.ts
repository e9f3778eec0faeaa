/** The table keeps the promises its readers rely on. */
import { describe, expect, test } from 'vitest';
import type { Leaf, Node } from '../../../src/config/schema/shape.ts';
import { schema } from '../../../src/config/schema.ts';

function* nodes(node: Node, path: string): IterableIterator<[string, Node]> {
  yield [path, node];
  if (node.kind === 'list') yield* nodes(node.of, `${path}[]`);
  if (node.kind === 'named') yield* nodes(node.of, `${path}.NAME`);
  if (node.kind === 'either') {
    yield* nodes(node.leaf, path);
    yield* nodes(node.section, path);
  }
  if (node.kind === 'section') {
    for (const [key, child] of Object.entries(node.keys)) {
      yield* nodes(child, path === '' ? key : `${path}.${key}`);
    }
  }
}

const all = [...nodes(schema, '')];
const leaves = all.filter((entry): entry is [string, Leaf<unknown>] => entry[1].kind === 'leaf');

test('there are keys to look at', () => {
  expect(leaves.length).toBeGreaterThan(60);
});

describe.each(leaves)('%s', (path, leaf) => {
  test('its default is a value of its type', () => {
    expect(leaf.default === null || leaf.type.parse(leaf.default) !== undefined).toBe(true);
  });

  test('its type has an example that is valid, where it is not a file', () => {
    if (leaf.type.source === 'pem') expect(leaf.type.example).toMatch(/\.pem$/);
    else expect(() => leaf.type.parse(leaf.type.example)).not.toThrow();
  });

  test('where it inherits from, there is such a key', () => {
    if (leaf.inherits !== null) {
      expect(leaves.map(([known]) => known)).toContain(leaf.inherits);
      expect(leaf.default).toBeNull();
    } else expect(path).not.toMatch(/^services\[\]\.(pool|timeouts)\.\w+$/);
  });
});

test('every key has a doc that is a sentence', () => {
  const wrong = all.filter(([, node]) => !/^[A-Z/].*\.$|^(host|port)/.test(node.doc));
  expect(wrong.map(([path, node]) => `${path}: ${node.doc}`)).toEqual([]);
});

test('what has a secret in it is marked as one', () => {
  const named = leaves.filter(([path]) => /password|token/.test(path));
  expect(named.map(([path]) => path)).toEqual([
    'http.token',
    'auth.users.NAME.password[]',
    'auth.query.password',
    'databases.NAME.login.password',
  ]);
  expect(named.filter(([, leaf]) => !leaf.secret)).toEqual([]);
});
