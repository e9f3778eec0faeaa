/** Mutated texts: no reader throws, and what the real grammar accepts is read as it reads it. */
import { describe, expect, test } from 'vitest';
import { analyse } from '../../../src/sql/statement.ts';
import { Kind, kindName } from '../../../src/sql/statement-kind.ts';
import { CORPUS } from './corpus.ts';
import { grammarKinds } from './grammar.ts';
import { mutate, random } from './mutate.ts';

const TEXTS = 4_000;

describe('mutated texts', () => {
  test.each([1, 2, 3])('seed %i', (seed) => {
    const next = random(seed);
    let accepted = 0;
    for (let i = 0; i < TEXTS; i++) {
      const text = mutate(CORPUS, next);
      const statement = analyse(text, true);
      const expected = grammarKinds(text);
      if (expected === null) continue;
      accepted++;
      expect([text, statement.fault, names(statement.kinds)]).toEqual([
        text,
        null,
        names(expected),
      ]);
    }
    // Enough of them must survive for the comparison to mean anything.
    expect(accepted).toBeGreaterThan(TEXTS / 10);
  });

  test('with backslashes in plain strings, no text throws or loses its count', () => {
    const next = random(4);
    for (let i = 0; i < TEXTS; i++) {
      const statement = analyse(mutate(CORPUS, next), false);
      expect(statement.count).toBe(statement.kinds.length);
      expect(statement.fault === null || statement.kind === Kind.Unknown).toBe(true);
    }
  });
});

function names(kinds: readonly Kind[]): string[] {
  return kinds.map((kind) => kindName(kind === Kind.Table ? Kind.Select : kind));
}
