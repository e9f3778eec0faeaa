/**
 * The readers against PostgreSQL's own grammar: on every text both accept they must see the same
 * statements. The kinds are told from keywords here and from the tree there.
 */
import { describe, expect, test } from 'vitest';
import { analyse } from '../../../src/sql/statement.ts';
import { Kind, kindName } from '../../../src/sql/statement-kind.ts';
import { CORPUS, EMPTY } from './corpus.ts';
import { grammarKinds } from './grammar.ts';

/** The tree does not tell TABLE t from SELECT * FROM t. */
function comparable(kinds: readonly Kind[]): string[] {
  return kinds.map((kind) => kindName(kind === Kind.Table ? Kind.Select : kind));
}

describe('the corpus', () => {
  test.each(CORPUS)('%s', (text) => {
    const expected = grammarKinds(text);
    expect(expected, 'the grammar accepts it').not.toBeNull();
    const statement = analyse(text, true);
    expect(statement.fault).toBeNull();
    expect(comparable(statement.kinds)).toEqual(comparable(expected!));
  });
});

describe('every two texts of the corpus in one', () => {
  // A stride that is coprime with the length pairs each text with another one.
  const texts = CORPUS.filter((text) => !EMPTY.includes(text));
  test.each([1, 37, 101])('stride %i', (stride) => {
    for (let i = 0; i < texts.length; i++) {
      const text = `${texts[i]}\n;${texts[(i + stride) % texts.length]}`;
      expect([text, comparable(analyse(text, true).kinds)]).toEqual([
        text,
        comparable(grammarKinds(text)!),
      ]);
    }
  });
});

describe('layout and case make no difference', () => {
  const texts = CORPUS.filter((text) => /^[A-Za-z0-9_ ,.()=;*]+$/.test(text));

  test('comments for spaces', () => {
    expect(texts.length).toBeGreaterThan(100);
    for (const text of texts) {
      const commented = text.replaceAll(' ', '/* ; \' */--";$$\n');
      expect([text, analyse(commented, true).kinds]).toEqual([text, analyse(text, true).kinds]);
    }
  });

  test('upper and lower case', () => {
    for (const text of texts) {
      const { kinds, pin, plainBegin } = analyse(text, true);
      for (const cased of [text.toUpperCase(), text.toLowerCase()]) {
        const other = analyse(cased, true);
        expect([cased, other.kinds, other.pin, other.plainBegin]).toEqual([
          cased,
          kinds,
          pin,
          plainBegin,
        ]);
      }
    }
  });
});
