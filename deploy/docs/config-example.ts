/**
 * `config/sluice.example.yaml`: a file that works as it stands, for one application and one server,
 * with every other key in its place, commented out and showing its default.
 */
import type {
  Either,
  Leaf,
  List,
  Named,
  Node,
  Section,
  Shape,
} from '../../src/config/schema/shape.ts';
import { schema } from '../../src/config/schema.ts';

const WIDTH = 100;
const HEADER = [
  '# yaml-language-server: $schema=sluice.schema.json',
  '#',
  '# Sluice, all keys. Generated from the table of keys by `npm run docs`; a copy is yours to edit.',
  '# What is commented out shows the default, or a value of the right form where there is none.',
  '#',
  `# Any value may contain \${NAME}, an environment variable; $\${ stands for \${. Secrets also take`,
  '# "file:PATH". Durations: 250ms 5s 10min 1h off. Sizes: 512B 64KiB 2GiB. Counts: 20 10k 1M.',
  '# A list with one item may be written as the item. `sluice check -c FILE` finds every mistake.',
];

export function configExample(): string {
  const lines = [...HEADER];
  for (const [key, node] of Object.entries(schema.keys)) {
    if (node.kind !== 'later') lines.push('', ...nodeLines(key, node, ''));
  }
  return `${lines.join('\n')}\n`;
}

function nodeLines(key: string, node: Node, indent: string): string[] {
  switch (node.kind) {
    case 'leaf':
      return leafLines(key, node, indent);
    case 'list':
      return listLines(key, node, indent);
    case 'section':
      return [
        ...comment(node.doc, indent),
        `${indent}${key}:`,
        ...sectionLines(node, `${indent}  `),
      ];
    case 'named':
      return namedLines(key, node, indent);
    case 'either':
      return eitherLines(key, node, indent);
    case 'later':
      return [];
  }
}

function leafLines(key: string, leaf: Leaf<unknown>, indent: string): string[] {
  // What is inherited has been explained where it comes from.
  if (leaf.inherits !== null) return leaf.shown === null ? [] : [`${indent}${key}: ${leaf.shown}`];
  const line =
    leaf.shown === null ? `${indent}# ${key}: ${leaf.sample}` : `${indent}${key}: ${leaf.shown}`;
  return [...comment(leaf.doc, indent), line];
}

function eitherLines(key: string, node: Either<unknown, Shape>, indent: string): string[] {
  const lines = leafLines(key, node.leaf, indent);
  if (node.leaf.inherits !== null) return lines;
  const keys = Object.entries(node.section.keys).flatMap(([name, child]) =>
    child.kind === 'leaf' ? [`${name}: ${quoted(child.sample)}`] : [],
  );
  return [...lines, `${indent}# ${key}: { ${keys.join(', ')} }`];
}

function listLines(
  key: string,
  list: List<Leaf<unknown>> | List<Section<Shape>>,
  indent: string,
): string[] {
  if (list.of.kind === 'leaf') {
    const value = list.shown ?? `[${quoted(list.of.sample)}]`;
    const line = `${indent}${list.shown === null ? '# ' : ''}${key}: ${value}`;
    return [...comment(list.doc, indent), line];
  }
  const inner = `${indent}    `;
  const lines = sectionLines(list.of, inner);
  // The dash belongs before the first key; what is above that is its comment.
  const first = lines.findIndex((line) => !line.trimStart().startsWith('#'));
  const item = lines.map((line, index) => {
    if (index < first) return `${indent}  ${line.trimStart()}`;
    return index === first ? `${indent}  - ${line.trimStart()}` : line;
  });
  return [...comment(list.doc, indent), `${indent}${key}:`, ...item];
}

function namedLines(key: string, named: Named<Shape>, indent: string): string[] {
  return [
    ...comment(named.doc, indent),
    `${indent}${key}:`,
    `${indent}  ${named.shown}:`,
    ...sectionLines(named.of, `${indent}    `),
  ];
}

function sectionLines(section: Section<Shape>, indent: string): string[] {
  return Object.entries(section.keys).flatMap(([key, node]) => nodeLines(key, node, indent));
}

/** Words that YAML would read as something else, or not at all, without quotes. */
function quoted(value: string): string {
  return /^[\w./-]+$/.test(value) ? value : JSON.stringify(value);
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
