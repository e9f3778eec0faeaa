/**
 * A YAML text as a tree whose nodes know where they stand. The parser's own messages are not passed
 * on: some of them quote the file, and what they quote may be a password.
 */
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Place, Problems } from './problems.ts';

export interface ConfigDocument {
  readonly root: Node | null;
  /** Follows aliases. Null for a value that is not there, and for an alias without its anchor. */
  readonly resolve: (node: unknown) => Node | null;
  readonly placeOf: (node: unknown) => Place;
}

const SYNTAX: { readonly [code: string]: string } = {
  BAD_ALIAS: 'an alias (*name) is not complete',
  BAD_COLLECTION_TYPE: 'the tag here does not fit what follows it',
  BAD_DIRECTIVE: 'a % directive that is not known',
  BAD_DQ_ESCAPE:
    'a backslash in double quotes that YAML does not know; single quotes take it as is',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_SCALAR_START: 'a value cannot begin with @ or `; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second ":" on one line; put the value in quotes or on lines of its own',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside of brackets',
  DUPLICATE_KEY: 'this key is there twice; only one can hold',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing, or a blank after a comma or colon',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is there a ":" missing behind it?',
  MULTIPLE_DOCS: 'a second document (---) begins here; only one is read',
  NON_STRING_KEY: 'a key must be a single word or text',
  TAB_AS_INDENT: 'a tab in the indentation; YAML takes only spaces',
  TAG_RESOLVE_FAILED: `a tag (!name) that is not known; \${NAME} and file: are what is read`,
  UNEXPECTED_TOKEN: 'something here does not belong; is a bracket or quote out of place?',
};

/** Null when the text cannot be understood well enough to be read on; the problems say why. */
export function parseConfigDocument(text: string, problems: Problems): ConfigDocument | null {
  const lines = new LineCounter();
  // The linear maximum of aliases is the schema's: unknown keys are never descended into.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  let readable = true;
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    problems.syntax(placeAt(pos[0]), SYNTAX[code] ?? 'this is not YAML');
    // A key that is there twice leaves the rest of the file as clear as it was.
    if (code !== 'DUPLICATE_KEY') readable = false;
  }
  if (!readable) return null;
  return {
    root: document.contents,
    resolve: (node) => resolved(document, node),
    placeOf: (node) => placeAt((node as Node | null)?.range?.[0] ?? 0),
  };
}

function resolved(document: Document.Parsed, node: unknown): Node | null {
  if (isMap(node) || isSeq(node) || isScalar(node)) return node;
  if (node === null || node === undefined) return null;
  const target = (node as { resolve?: (document: unknown) => Node | undefined }).resolve;
  return target?.call(node, document) ?? null;
}
