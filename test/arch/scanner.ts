/**
 * Just enough of TypeScript to ask a source file simple questions: comments, strings, templates
 * with code in them, regular expressions, imports. A real parser would be exact, but the compiler's
 * is no longer a JavaScript library, and another one for these few questions would be a dependency
 * to keep in step with it. `repository.test.ts` checks that it copes with every file there is.
 */
import { dirname, join } from 'node:path';

export interface TextFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written: `../util/assert.ts`, `node:net`, `pino`. */
  readonly from: string;
  /** Path from the root for a file of the repository, null for a package. */
  readonly path: string | null;
  readonly typeOnly: boolean;
  readonly names: readonly string[];
  readonly line: number;
}

export interface SourceFile extends TextFile {
  /** The text with comments and the insides of strings blanked; same length, same lines. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export function sourceFile({ path, text }: TextFile): SourceFile {
  const { code, uncommented } = blank(text);
  return { path, text, code, imports: importsOf(path, uncommented) };
}

const importStatement =
  /^(import|export)\s+(type\s+)?(?:([^'";]*?)\s*from\s*)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

function importsOf(path: string, uncommented: string): Import[] {
  return Array.from(uncommented.matchAll(importStatement), (match) => {
    const [, , type, clause = '', statically, dynamically] = match;
    const from = statically ?? dynamically ?? '';
    const names = clause
      .replace(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim());
    const allTypes = names.length > 0 && names.every((name) => name.startsWith('type '));
    return {
      from,
      path: from.startsWith('.') ? join(dirname(path), from).replaceAll('\\', '/') : null,
      typeOnly: type !== undefined || allTypes,
      names: names.map((name) => name.replace(/^type /, '').replace(/ as .*$/, '')).filter(Boolean),
      line: lineAt(uncommented, match.index),
    };
  });
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** What may stand before a slash that begins a regular expression rather than divides. */
const beforeRegex = /(?:^|[([{,;=:!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|throw|await))\s*$/;

const tokens =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[`{}]|\/(?![/*])/g;
const templatePart = /(?:\\[\s\S]|[^`\\$]|\$(?!\{))*/y;
const regexLiteral = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;

function blank(text: string): { code: string; uncommented: string } {
  const code = text.split('');
  const uncommented = text.split('');
  const erase = (target: string[], start: number, end: number) => {
    for (let i = start; i < end; i++) if (target[i] !== '\n') target[i] = ' ';
  };
  /** Depth of braces at which each open template goes on. */
  const templates: number[] = [];
  let depth = 0;
  let position = 0;
  const skipTemplate = () => {
    templatePart.lastIndex = position;
    const end = position + (templatePart.exec(text)?.[0].length ?? 0);
    erase(code, position, end);
    const ends = text[end] === '`';
    if (!ends) templates.push(depth++);
    position = end + (ends ? 1 : 2);
  };
  for (;;) {
    tokens.lastIndex = position;
    const match = tokens.exec(text);
    if (match === null) break;
    const [token] = match;
    const start = match.index;
    position = start + token.length;
    if (token.startsWith('//') || token.startsWith('/*')) {
      erase(code, start, position);
      erase(uncommented, start, position);
    } else if (token === '`') {
      skipTemplate();
    } else if (token === '{') {
      depth++;
    } else if (token === '}') {
      depth--;
      if (templates.at(-1) === depth) {
        templates.pop();
        skipTemplate();
      }
    } else if (token === '/') {
      if (!beforeRegex.test(code.slice(Math.max(0, start - 40), start).join(''))) continue;
      regexLiteral.lastIndex = start;
      const literal = regexLiteral.exec(text)?.[0] ?? '/';
      position = start + literal.length;
      erase(code, start + 1, position - 1);
      // An import is never inside one, and a quote in one must not look like a string.
      erase(uncommented, start + 1, position - 1);
    } else {
      erase(code, start + 1, position - 1);
    }
  }
  return { code: code.join(''), uncommented: uncommented.join('') };
}
