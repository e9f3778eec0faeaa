/**
 * `config/sluice.schema.json`: what editors with a YAML language server complete and check by. It is
 * draft-07, the draft they support best, and a little more lenient than the loader: it does not know
 * what names exist, and any value may be `${NAME}`.
 */
import type { Leaf, List, Node, Section, Shape } from '../../src/config/schema/shape.ts';
import { schema } from '../../src/config/schema.ts';
import type { JsonSchema } from '../../src/config/value-type.ts';

export function configSchema(): string {
  const root = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice',
    ...sectionSchema(schema),
  };
  return `${JSON.stringify(root, null, 2)}\n`;
}

function nodeSchema(node: Node): JsonSchema {
  switch (node.kind) {
    case 'leaf':
      return leafSchema(node);
    case 'list':
      return listSchema(node);
    case 'section':
      return sectionSchema(node);
    case 'named':
      return {
        description: node.doc,
        type: ['object', 'null'],
        additionalProperties: sectionSchema(node.of),
        ...(node.names.json['pattern'] === undefined ? {} : { propertyNames: node.names.json }),
      };
    case 'either':
      return {
        description: node.doc,
        anyOf: [leafSchema(node.leaf), { ...sectionSchema(node.section), type: 'object' }],
      };
    case 'later':
      return {
        description: `${node.doc} Not available in this version.`,
        ...(node.unless === null ? { not: {} } : { const: node.unless }),
        // Understood by the language servers of editors, and ignored by everybody else.
        errorMessage: 'not available in this version',
        doNotSuggest: true,
      };
  }
}

function leafSchema(leaf: Leaf<unknown>): JsonSchema {
  const { json } = leaf.type;
  const alternatives = 'anyOf' in json ? (json['anyOf'] as JsonSchema[]) : [json];
  const anyOf = [
    ...alternatives,
    { type: 'string', pattern: '\\$\\{' },
    ...(leaf.default === null && !leaf.required ? [{ type: 'null' }] : []),
  ];
  return { description: description(leaf), anyOf };
}

function listSchema(list: List<Leaf<unknown>> | List<Section<Shape>>): JsonSchema {
  const item = nodeSchema(list.of);
  return { description: list.doc, anyOf: [item, { type: 'array', items: item }, { type: 'null' }] };
}

function sectionSchema(section: Section<Shape>): JsonSchema {
  const entries = Object.entries(section.keys);
  const needed = entries.filter(([, node]) => node.kind === 'leaf' && node.required);
  return {
    description: section.doc,
    type: needed.length === 0 ? ['object', 'null'] : 'object',
    properties: Object.fromEntries(entries.map(([key, node]) => [key, nodeSchema(node)])),
    additionalProperties: false,
    ...(needed.length === 0 ? {} : { required: needed.map(([key]) => key) }),
  };
}

function description(leaf: Leaf<unknown>): string {
  const without = leaf.inherits === null ? leaf.default : `what \`${leaf.inherits}\` says`;
  return `${leaf.doc}${without === null ? '' : ` Default: ${without}.`} (${leaf.type.form})`;
}
