/**
 * What is wrong with a configuration, all of it at once: an operator who fixes one mistake only to
 * be told of the next is an operator who stops reading.
 *
 * Each problem has a place in the file. Checks made after reading report by the path of a key; what
 * is known about places is filled in here. A path that has a problem already gets no second one,
 * nor do the paths below it, so that one misspelt value does not set off a cascade. No problem's
 * text may contain a secret: values are quoted as they are written in the file, never as `${ENV}`
 * or `file:` made them, and values of secret keys not at all.
 */

export interface Problem {
  readonly file: string;
  /** From 1; 0 when the problem is with the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** The key, such as `services[0].pool.size`; empty when it is not about one. */
  readonly path: string;
  readonly message: string;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

export class Problems {
  readonly #file: string;
  readonly #problems: Problem[] = [];
  readonly #warnings: Problem[] = [];
  readonly #places = new Map<string, Place>();
  readonly #wrong = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  /** Remembers where a key is, for checks that only know its path. */
  place(path: string, place: Place): void {
    this.#places.set(path, place);
  }

  /** A problem with the text of the file, before there are keys. */
  syntax(place: Place, message: string): void {
    const last = this.#problems.at(-1);
    // One slip makes the parser stumble several times over at the same place.
    if (last?.line === place.line && last.column === place.column) return;
    this.#problems.push({ file: this.#file, ...place, path: '', message });
  }

  add(path: string, message: string): void {
    if (this.isWrong(path)) return;
    this.#wrong.add(path);
    this.#problems.push({ file: this.#file, ...this.#placeOf(path), path, message });
  }

  /** A second problem at one path is welcome where a section has several of them. */
  addAt(place: Place, path: string, message: string): void {
    this.#problems.push({ file: this.#file, ...place, path, message });
  }

  /** A problem in another file, which a key names. */
  addElsewhere(file: string, line: number, path: string, message: string): void {
    this.#wrong.add(path);
    this.#problems.push({ file, line, column: 1, path: '', message });
  }

  warnElsewhere(file: string, line: number, message: string): void {
    this.#warnings.push({ file, line, column: 1, path: '', message });
  }

  warn(path: string, message: string): void {
    if (this.isWrong(path)) return;
    this.#warnings.push({ file: this.#file, ...this.#placeOf(path), path, message });
  }

  /** Whether the key, or one it is part of, has been found wrong: its value means nothing then. */
  isWrong(path: string): boolean {
    for (let at: string | null = path; at !== null; at = parentOf(at)) {
      if (this.#wrong.has(at)) return true;
    }
    return false;
  }

  /** Whether the key, or any part of it, is wrong: what it says as a whole is not to be judged. */
  isDoubtful(path: string): boolean {
    if (this.isWrong(path)) return true;
    return [...this.#wrong].some(
      (wrong) => wrong.startsWith(`${path}.`) || wrong.startsWith(`${path}[`),
    );
  }

  get problems(): readonly Problem[] {
    return this.#problems.toSorted(byPlace);
  }

  get warnings(): readonly Problem[] {
    return this.#warnings.toSorted(byPlace);
  }

  #placeOf(path: string): Place {
    for (let at: string | null = path; at !== null; at = parentOf(at)) {
      const place = this.#places.get(at);
      if (place !== undefined) return place;
    }
    return { line: 0, column: 0 };
  }
}

/** `sluice.yaml:12:5: services[0].name: …`, the form editors and terminals make links of. */
export function formatProblem(problem: Problem, label: 'error' | 'warning' | null = null): string {
  const { file, line, column, path, message } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return [place, label, path, message].filter((part) => part !== null && part !== '').join(': ');
}

const PLAIN_KEY = /^[\w-]+$/;

export function keyPath(parent: string, key: string): string {
  const shown = PLAIN_KEY.test(key) ? key : JSON.stringify(key);
  return parent === '' ? shown : `${parent}.${shown}`;
}

export function itemPath(parent: string, index: number): string {
  return `${parent}[${index}]`;
}

/** The path one step up; null above the whole file, whose path is empty. */
function parentOf(path: string): string | null {
  if (path === '') return null;
  const step = /(?:^|\.)(?:[\w-]+|"(?:[^"\\]|\\.)*")$|\[\d+\]$/.exec(path);
  return step === null ? '' : path.slice(0, step.index);
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
