/**
 * `config/sluice.schema.json`: what editors with a YAML language server complete and check by. It
 * is draft-07, the draft they support best, and a little more lenient than the loader: it does not
 * know what names exist, and any value may be `${NAME}`.
 */
import type { Leaf, List, Node, Section, Shape } from '../../src/config/schema/shape.ts';
import { schema } from '../../src/config/schema.ts';
import type { JsonSchema } from '../../src/config/value-type.ts';

/** Maps that stand in lists, under the list's name: each is needed twice, alone and as an item. */
type Definitions = Map<string, JsonSchema>;

export function configSchema(): string {
  const definitions: Definitions = new Map();
  const root = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice',
    ...sectionSchema(schema, definitions),
    definitions: Object.fromEntries(definitions),
  };
  return `${JSON.stringify(root, null, 2)}\n`;
}

function nodeSchema(name: string, node: Node, definitions: Definitions): JsonSchema {
  switch (node.kind) {
    case 'leaf':
      return leafSchema(node);
    case 'list':
      return listSchema(name, node, definitions);
    case 'section':
      return sectionSchema(node, definitions);
    case 'named':
      return {
        description: node.doc,
        type: ['object', 'null'],
        additionalProperties: sectionSchema(node.of, definitions),
        ...(node.names.json['pattern'] === undefined ? {} : { propertyNames: node.names.json }),
      };
    case 'either':
      return {
        description: node.doc,
        anyOf: [
          leafSchema(node.leaf),
          { ...sectionSchema(node.section, definitions), type: 'object' },
        ],
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

function listSchema(
  name: string,
  list: List<Leaf<unknown>> | List<Section<Shape>>,
  definitions: Definitions,
): JsonSchema {
  let item = nodeSchema(name, list.of, definitions);
  if (list.of.kind === 'section') {
    definitions.set(name, item);
    item = { $ref: `#/definitions/${name}` };
  }
  return { description: list.doc, anyOf: [item, { type: 'array', items: item }, { type: 'null' }] };
}

function sectionSchema(section: Section<Shape>, definitions: Definitions): JsonSchema {
  const entries = Object.entries(section.keys);
  const needed = entries.filter(([, node]) => node.kind === 'leaf' && node.required);
  return {
    description: section.doc,
    type: needed.length === 0 ? ['object', 'null'] : 'object',
    properties: Object.fromEntries(
      entries.map(([key, node]) => [key, nodeSchema(key, node, definitions)]),
    ),
    additionalProperties: false,
    ...(needed.length === 0 ? {} : { required: needed.map(([key]) => key) }),
  };
}

function description(leaf: Leaf<unknown>): string {
  const without = leaf.inherits === null ? leaf.default : `what \`${leaf.inherits}\` says`;
  return `${leaf.doc}${without === null ? '' : ` Default: ${without}.`} (${leaf.type.form})`;
}
