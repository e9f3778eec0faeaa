/** House rules a machine can check: sizes, leftovers, what must not be in a file. */
import { describe, expect, test } from 'vitest';
import { at, occurrences, root, sourceFiles, textFiles } from './repository.ts';
import type { SourceFile } from './scanner.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const LINE_COLUMNS_MAX = 100;
const README_LINES_MAX = 150;

/** Says in the header why a file over the limit is one room. Data tables say it too. */
const oneRoom = /^(?:\/\/| \*) One room: ./m;
const HEADER_LINES = 40;

/** Folders too plain for an essay: their files say what there is to say. */
const plainFolders = ['util', 'cli'];

/** A text that would have to be glued together from pieces; better searched for as one. */
const longString = /(['"`])[^'"`]{60,}\1|\/\S{60,}\//;

const isTest = ({ path }: { path: string }) => path.endsWith('.test.ts');

describe('sizes', () => {
  test(`a file has at most ${FILE_LINES_MAX} lines, or says why it is one room`, () => {
    const long = sourceFiles
      .filter(({ text }) => lines(text).length > FILE_LINES_MAX)
      .filter(({ text }) => !oneRoom.test(lines(text).slice(0, HEADER_LINES).join('\n')))
      .map(({ path, text }) => `${path}: ${lines(text).length} lines`);
    expect(long).toEqual([]);
  });

  test(`a function has at most ${FUNCTION_LINES_MAX} lines`, () => {
    const long = sourceFiles.filter((file) => !isTest(file)).flatMap(longFunctions);
    expect(long).toEqual([]);
  });

  test(`a line has at most ${LINE_COLUMNS_MAX} columns`, () => {
    const wide = sourceFiles.flatMap((file) =>
      lines(file.text).flatMap((line, index) =>
        line.length > LINE_COLUMNS_MAX && !longString.test(line)
          ? [`${file.path}:${index + 1}: ${line.length}`]
          : [],
      ),
    );
    expect(wide).toEqual([]);
  });
});

describe('leftovers', () => {
  test('no notes to self', () => {
    const note = /\b(?:TO[D]O|FIX[M]E|HA[C]K)\b/g;
    const found = textFiles.flatMap((file) =>
      Array.from(file.text.matchAll(note), (match) => at(file, match.index)),
    );
    expect(found).toEqual([]);
  });

  test('no test is skipped or runs alone', () => {
    const modifier = /\b(?:test|describe|it)(?:\.\w+)*\.(?:only|skip|todo)\b/g;
    // A test may depend on its data or on who runs it. What is not installed makes it fail.
    const condition = /\.(?:skipIf|runIf)\([^\n]*(?:exists|access|process\.env|version)/gi;
    expect(sourceFiles.flatMap((file) => occurrences(file, modifier))).toEqual([]);
    expect(sourceFiles.flatMap((file) => occurrences(file, condition))).toEqual([]);
  });

  test('nothing is printed for debugging', () => {
    const printing = /\bconsole\.\w+\(|\bdebugger\b/g;
    const files = sourceFiles.filter(({ path }) => !path.startsWith('bench/'));
    expect(files.flatMap((file) => occurrences(file, printing))).toEqual([]);
  });

  test('the fast tests open no socket and do not sleep', () => {
    const fast = sourceFiles.filter(({ path }) => /^test\/(unit|conversation|fuzz)\//.test(path));
    const sockets = fast.flatMap((file) =>
      file.imports
        .filter(({ from, typeOnly }) => /^node:(net|tls|http)$/.test(from) && !typeOnly)
        .map(({ from, line }) => `${file.path}:${line} imports ${from}`),
    );
    const sleeps = fast.flatMap((file) => occurrences(file, /\b(?:setTimeout|setInterval)\(/g));
    expect([...sockets, ...sleeps]).toEqual([]);
  });
});

describe('what does not belong in the repository', () => {
  test('no path of somebody’s machine', () => {
    const machinePath = /(?<![\w.~$}])\/(?:work|home|Users)\/\w+/g;
    const here = root.split('/').length > 3 ? root : null;
    const found = textFiles.flatMap((file) => [
      ...Array.from(file.text.matchAll(machinePath), (match) => at(file, match.index)),
      ...(here !== null && file.text.includes(here) ? [`${file.path} names ${here}`] : []),
    ]);
    expect(found).toEqual([]);
  });

  test('no package registry: where packages come from is the reader’s business', () => {
    const registry = /\bregistry[.]\w+[.]\w|\bregistry\s*=\s*\S*\/\/|\bnpmjs[.]\w|"resolved"\s*:/g;
    const found = textFiles
      .filter(({ path }) => path !== 'test/arch/tidy.test.ts')
      .flatMap((file) =>
        Array.from(file.text.matchAll(registry), (match) => at(file, match.index)),
      );
    expect(found).toEqual([]);
  });
});

describe('documents', () => {
  test('every folder of src with an idea has a README', () => {
    const folders = new Set(
      sourceFiles.flatMap(({ path }) => /^src\/(\w+)\//.exec(path)?.[1] ?? []),
    );
    const missing = [...folders]
      .filter((folder) => !plainFolders.includes(folder))
      .map((folder) => `src/${folder}/README.md`)
      .filter((path) => textFiles.every((file) => file.path !== path));
    expect(missing).toEqual([]);
  });

  test(`a README of a folder has at most ${README_LINES_MAX} lines`, () => {
    const long = textFiles
      .filter(({ path, text }) => /^src\/.*README\.md$/.test(path) && lines(text).length > 150)
      .map(({ path, text }) => `${path}: ${lines(text).length} lines`);
    expect(long).toEqual([]);
  });

  test('links between documents lead somewhere', () => {
    const known = new Set(textFiles.map(({ path }) => path));
    const link = /\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g;
    const dead = textFiles
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap((file) =>
        Array.from(file.text.matchAll(link), (match) => ({ at: at(file, match.index), match }))
          .filter(({ match }) => {
            const target = resolved(file.path, match[1]!);
            const leads = known.has(target) || [...known].some((p) => p.startsWith(`${target}/`));
            return !leads;
          })
          .map((entry) => `${entry.at} → ${entry.match[1]}`),
      );
    expect(dead).toEqual([]);
  });
});

function lines(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function resolved(from: string, to: string): string {
  const { pathname } = new URL(to, `file:///${from}`);
  return pathname.slice(1).replace(/\/$/, '');
}

/**
 * A brace that follows `)`, a return type or `=>` opens a body. That also finds `if` and `for`,
 * which does no harm: they are shorter than the function around them.
 */
function longFunctions(file: SourceFile): string[] {
  const opened: number[] = [];
  const found: string[] = [];
  for (const { index, 0: brace } of file.code.matchAll(/[{}]/g)) {
    if (brace === '{') {
      opened.push(index);
      continue;
    }
    const start = opened.pop() ?? 0;
    if (!opensBody(file.code, start)) continue;
    const length = file.code.slice(start, index).split('\n').length;
    if (length > FUNCTION_LINES_MAX) found.push(`${at(file, start)}: ${length} lines`);
  }
  return found;
}

function opensBody(code: string, brace: number): boolean {
  const before = code.slice(Math.max(0, brace - 300), brace).trimEnd();
  if (before.endsWith('=>') || before.endsWith(')')) return true;
  const afterParenthesis = before.slice(before.lastIndexOf(')') + 1);
  return before.includes(')') && /^\s*:[^;=]*$/.test(afterParenthesis);
}
