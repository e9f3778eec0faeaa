import { expect, test } from 'vitest';
import { AssertionFailed, assert, unreachable } from '../../../src/util/assert.ts';

test('assert is silent when it holds and throws its own error when not', () => {
  expect(() => assert(true, 'fine')).not.toThrow();
  expect(() => assert(false, 'broken promise')).toThrow(AssertionFailed);
  expect(() => assert(false, 'broken promise')).toThrow('broken promise');
});

test('unreachable names the value that arrived all the same', () => {
  expect(() => unreachable('purple' as never, 'no such colour')).toThrow('no such colour: purple');
});
