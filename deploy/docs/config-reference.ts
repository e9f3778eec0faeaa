/** `config/REFERENCE.md`: every key of the table, with its default and what it takes. */
import type { Leaf, Node } from '../../src/config/schema/shape.ts';
import { schema } from '../../src/config/schema.ts';
import { markdownTable } from './markdown.ts';

interface Row {
  readonly path: string;
  readonly form: string;
  readonly default: string;
  readonly reload: string;
  readonly doc: string;
}

export function configReference(): string {
  const available = Object.entries(schema.keys).filter(([, node]) => node.kind !== 'later');
  const later = Object.entries(schema.keys).flatMap(([key, node]) => laterKeys(node, key));
  return [
    '# Configuration reference',
    '',
    'Generated from `src/config/schema.ts` by `npm run docs`. `sluice.example.yaml` shows the keys',
    'at work; `sluice check -c FILE` says what is wrong with a file, all of it at once.',
    '',
    '- `[]` is an item of a list; a single item may be written without the list. `NAME` is a name of',
    '  your choosing.',
    `- Any value may contain \`\${NAME}\`, an environment variable that must be set; \`$\${\``,
    '  stands for `${`. Secrets also take `file:PATH`; certificates and keys are paths of PEM',
    "  files. Relative paths start from the configuration's folder; one newline at the end of a",
    '  secret is taken away.',
    '- Durations: `250ms 5s 10min 1h off`. Sizes: `512B 64KiB 2GiB`. Counts: `20 10k 1M`.',
    '- *Change* is what a changed value needs: *now* holds for what comes next, *next lease* when a',
    '  server is next taken from the pool, *restart* a new process.',
    '',
    ...available.flatMap(([key, node]) => chapter(key, node)),
    '## Not available in this version',
    '',
    'These keys are known, and refused: a limit that was written down and does nothing is worse than',
    'none.',
    '',
    ...markdownTable(
      ['key', 'what it is for'],
      later.map(({ path, doc, unless }) => [
        `\`${path}\``,
        unless === null ? doc : `${doc} Only \`${unless}\` may be written.`,
      ]),
    ),
    '',
  ].join('\n');
}

function chapter(key: string, node: Node): string[] {
  return [
    `## ${key}`,
    '',
    node.doc,
    '',
    ...markdownTable(
      ['key', 'value', 'default', 'change', 'what it is for'],
      rowsOf(node, key).map((row) => [
        `\`${row.path}\``,
        row.form,
        row.default,
        row.reload,
        row.doc,
      ]),
    ),
    '',
  ];
}

function rowsOf(node: Node, path: string): Row[] {
  switch (node.kind) {
    case 'leaf':
      return [row(node, path, node.doc)];
    case 'list':
      if (node.of.kind === 'leaf') return [{ ...row(node.of, `${path}[]`, node.doc), default: '' }];
      return rowsOf(node.of, `${path}[]`);
    case 'section':
      return Object.entries(node.keys).flatMap(([key, child]) => rowsOf(child, `${path}.${key}`));
    case 'named':
      return rowsOf(node.of, `${path}.NAME`);
    case 'either':
      return [row(node.leaf, path, node.doc), ...rowsOf(node.section, path)];
    case 'later':
      return [];
  }
}

function row(leaf: Leaf<unknown>, path: string, doc: string): Row {
  const given = leaf.inherits ?? leaf.default;
  return {
    path,
    form: leaf.type.form.replaceAll('*', '\\*'),
    default: leaf.required ? '*needed*' : given === null ? '' : `\`${given}\``,
    reload: leaf.reload,
    doc: doc.replaceAll('*', '\\*'),
  };
}

function laterKeys(
  node: Node,
  path: string,
): { path: string; doc: string; unless: string | null }[] {
  switch (node.kind) {
    case 'later':
      return [{ path, doc: node.doc, unless: node.unless }];
    case 'list':
      return laterKeys(node.of, `${path}[]`);
    case 'named':
      return laterKeys(node.of, `${path}.NAME`);
    case 'either':
      return laterKeys(node.section, path);
    case 'section':
      return Object.entries(node.keys).flatMap(([key, child]) =>
        laterKeys(child, `${path}.${key}`),
      );
    case 'leaf':
      return [];
  }
}
