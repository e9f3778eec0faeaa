/** The lexer's two tables over ASCII: what a character may begin, and what belongs to a name. */

/** What a character may begin. Zero, "itself", is what punctuation and stray characters are. */
export const Class = {
  Itself: 0,
  Space: 1,
  Name: 2,
  Digit: 3,
  Operator: 4,
  Quote: 5,
  DoubleQuote: 6,
  Dollar: 7,
  Open: 8,
  Close: 9,
  Dot: 10,
} as const;

export const CLASS = new Uint8Array(128);
/** 1 where a character may stand inside an identifier. */
const NAME_PART = new Uint8Array(128);

for (const char of ' \t\n\r\f\v') CLASS[char.charCodeAt(0)] = Class.Space;
for (const char of '~!@#^&|`?+-*/%<>=') CLASS[char.charCodeAt(0)] = Class.Operator;
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_') {
  CLASS[char.charCodeAt(0)] = Class.Name;
  NAME_PART[char.charCodeAt(0)] = 1;
}
for (const char of '0123456789') {
  CLASS[char.charCodeAt(0)] = Class.Digit;
  NAME_PART[char.charCodeAt(0)] = 1;
}
NAME_PART[0x24] = 1;
CLASS[0x22] = Class.DoubleQuote;
CLASS[0x24] = Class.Dollar;
CLASS[0x27] = Class.Quote;
CLASS[0x28] = Class.Open;
CLASS[0x29] = Class.Close;
CLASS[0x2e] = Class.Dot;

/** False at the end of the text, where the code is NaN. */
export function isNamePart(code: number): boolean {
  return code < 128 ? NAME_PART[code] === 1 : code >= 128;
}
