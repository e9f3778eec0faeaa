/** Seeded mutations of texts: the same seed gives the same texts on every machine. */

/** mulberry32: small, and good enough to pick places in a text. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What decides structure, and so what is worth inserting. */
const FRAGMENTS: readonly string[] = [
  ...'\'"$;()\\-/*,.&E:=\n\r ',
  "E'",
  "U&'",
  'U&"',
  "B'",
  "''",
  '""',
  '$$',
  '$a$',
  '--',
  '/*',
  '*/',
  "'\n'",
  "\\'",
  ';;',
  '; SELECT 2',
  ' BEGIN ATOMIC ',
  ' END',
  ' AS ',
  ' INTO ',
  'WITH a AS (',
  '1e',
  '0x',
  '\u00e9',
  ' SET ',
  ' LOCAL ',
  ' ANALYZE ',
];

/** What may stand wherever a space may, and looks worse than it is. */
const SPACES: readonly string[] = [
  ' /* ; */ ',
  ' /* /* \' */ " */ ',
  " -- '; $$\n",
  '\r\n\t',
  ' --\r',
  ';',
  "; SELECT ';' ;",
  ' ; COMMIT; ',
];

/** One to three changes to a text, sometimes after sewing it to another one. */
export function mutate(texts: readonly string[], next: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  let text = pick(texts);
  const sewing = next();
  if (sewing < 0.1) {
    const other = pick(texts);
    text = text.slice(0, next() * text.length) + other.slice(next() * other.length);
  } else if (sewing < 0.3) {
    text = `${text};${pick(texts)}`;
  }
  for (let changes = 1 + next() * 2; changes >= 1; changes--) {
    const at = Math.floor(next() * (text.length + 1));
    const length = Math.floor(next() * 4);
    const kind = next();
    if (kind < 0.6) text = replaceSpace(text, at, pick(SPACES));
    else if (kind < 0.8) text = text.slice(0, at) + pick(FRAGMENTS) + text.slice(at);
    else if (kind < 0.9) text = text.slice(0, at) + text.slice(at + length);
    else text = text.slice(0, at) + text.slice(at, at + length + 4) + text.slice(at);
  }
  return text;
}

/** Replaces the first space from `at` on; it may be one inside a string. */
function replaceSpace(text: string, at: number, by: string): string {
  const space = text.indexOf(' ', at);
  return space === -1 ? text + by : text.slice(0, space) + by + text.slice(space + 1);
}
