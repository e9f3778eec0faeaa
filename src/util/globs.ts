/**
 * Names matched by globs: `*` is any run of characters, `?` is one, everything else is itself. That
 * is all there is: no braces, classes or escapes, because names of users and databases contain
 * those characters as themselves more often than anybody needs the patterns.
 */
export class GlobSet {
  readonly #exact: ReadonlySet<string>;
  readonly #patterns: readonly RegExp[];

  constructor(globs: readonly string[]) {
    this.#exact = new Set(globs.filter((glob) => !isPattern(glob)));
    this.#patterns = globs.filter(isPattern).map(compile);
  }

  has(name: string): boolean {
    return this.#exact.has(name) || this.#patterns.some((pattern) => pattern.test(name));
  }
}

function isPattern(glob: string): boolean {
  return glob.includes('*') || glob.includes('?');
}

function compile(glob: string): RegExp {
  // Neighbouring stars are one star, which keeps the expression from backtracking without end.
  const source = glob
    .replace(/\*+/g, '*')
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'su');
}
