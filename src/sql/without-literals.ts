/**
 * A statement's text as it may be shown: every string and number is a `?`, comments are gone, and
 * white space is one blank. Names and keywords stay, so that whoever knows the application knows
 * which statement it was; what a client sent as a value is in no window.
 */
import { Lexer } from './lexer.ts';
import { Token } from './tokens.ts';

const TEXT_LENGTH_MAX = 1_000;
const UNREAD = '(not read)';

const lexer = new Lexer();

/** `text` has a character for each byte, as `Statement.text` has. What cannot be read ends it. */
export function withoutLiterals(text: string, standardConformingStrings: boolean): string {
  if (text === '') return UNREAD;
  let shown = '';
  let end = 0;
  lexer.begin(text, standardConformingStrings);
  for (;;) {
    const token = lexer.next();
    if (token === Token.End) break;
    if (token === Token.Bad) {
      shown += ` ${UNREAD}`;
      break;
    }
    if (shown !== '' && lexer.start > end) shown += ' ';
    const isLiteral = token === Token.String || token === Token.Number;
    shown += isLiteral ? '?' : text.slice(lexer.start, lexer.end);
    end = lexer.end;
    if (shown.length > TEXT_LENGTH_MAX) break;
  }
  const whole = Buffer.from(shown, 'latin1').toString('utf8').trim();
  return whole.length > TEXT_LENGTH_MAX ? `${whole.slice(0, TEXT_LENGTH_MAX)}…` : whole;
}
