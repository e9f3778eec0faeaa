import { expect, test } from 'vitest';
import { sourceFiles } from './repository.ts';
import { sourceFile } from './scanner.ts';

const scan = (text: string) => sourceFile({ path: 'src/net/a.ts', text });

test('comments and the insides of strings are blanked, code is not', () => {
  const { code } = scan('a(); // b()\n/* c() */ d(\'e()\', "f\\"()");');
  expect(code).toBe(`a();       \n          d('   ', "     ");`);
});

test('code inside a template is code, the text around it is not', () => {
  const { code } = scan('x = `a #{b(`c #{d} e`)} f`; g();'.replaceAll('#', '$'));
  expect(code.replaceAll(/ +/g, ' ').replaceAll('$', '#')).toBe('x = ` #{b(` #{d} `)} `; g();');
});

test('a quote or a comment sign inside a regular expression begins nothing', () => {
  const { code } = scan("x.replace(/['\"/*]/g, 'b'); y = 4 / 2 / 1; z('c');");
  expect(code).toContain("; y = 4 / 2 / 1; z(' ');");
});

test('imports in every form', () => {
  const { imports } = scan(
    [
      "import { a, type B } from '../util/a.ts';",
      "import type { C } from './c.ts';",
      "import { type D, type E as F } from 'pino';",
      'import {',
      '  g,',
      "} from 'node:net';",
      "import './side.ts';",
      "export { h } from './h.ts';",
      "const i = await import('./i.ts');",
      "// import './comment.ts';",
      'const text = "import \'./string.ts\'";',
    ].join('\n'),
  );
  expect(
    imports.map(({ path, from, typeOnly, names, line }) => [
      path ?? from,
      typeOnly,
      names.join(' '),
      line,
    ]),
  ).toEqual([
    ['src/util/a.ts', false, 'a B', 1],
    ['src/net/c.ts', true, 'C', 2],
    ['pino', true, 'D E', 3],
    ['node:net', false, 'g', 4],
    ['src/net/side.ts', false, '', 7],
    ['src/net/h.ts', false, 'h', 8],
    ['src/net/i.ts', false, '', 9],
  ]);
});

test('braces balance in the code of every file, so strings are told from code', () => {
  const unbalanced = sourceFiles.filter(({ code }) => {
    const opened = code.split('{').length;
    return opened !== code.split('}').length || code.split('(').length !== code.split(')').length;
  });
  expect(unbalanced.map(({ path }) => path)).toEqual([]);
});
