import { describe, expect, test } from 'vitest';
import { preparePassword } from '../../../src/auth/saslprep.ts';

describe('preparePassword', () => {
  test.each([
    ['the examples of RFC 4013: soft hyphen', 'I\u00adX', 'IX'],
    ['case is kept', 'USER', 'USER'],
    ['compatibility forms', '\u00aa', 'a'],
    ['Roman numeral', '\u2168', 'IX'],
    ['no-break space', 'a\u00a0b', 'a b'],
    ['decomposed', 'e\u0301', '\u00e9'],
    ['nothing', '', ''],
    ['a symbol that becomes a right-to-left letter only afterwards', 'a\u2135', 'a\u05d0'],
    ['right to left at both ends', '\u0627 1\u0628', '\u0627 1\u0628'],
  ])('%s', (_name, password, prepared) => {
    expect(preparePassword(password).toString()).toBe(prepared);
  });

  test.each([
    ['ASCII control characters, which Postgres does not look at', '\u0007'],
    ['a right-to-left text that does not end so', '\u0627\u0031'],
    ['characters after Unicode 3.2', 'horse 🐴'],
    ['directions mixed', 'a\u05d0'],
    ['nothing left', '\u00ad\u200d'],
    ['private use', '\ue000'],
    ['prohibited, though NFKC would make it allowed', 'a\u0340'],
    ['unassigned, though NFKC would make it assigned', '\u32ff'],
    ['a control character beside a letter that is not ASCII', 'ü\u0007'],
  ])('%s: taken as it is', (_name, password) => {
    expect(preparePassword(password).toString()).toBe(password);
  });
});
