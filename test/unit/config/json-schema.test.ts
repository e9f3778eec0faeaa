/** The JSON Schema takes what Sluice takes, and shows an editor what it would not. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../../deploy/docs/config-schema.ts';

interface Schema {
  readonly [keyword: string]: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly not?: Schema;
  readonly properties?: { readonly [key: string]: Schema };
  readonly additionalProperties?: Schema | false;
  readonly propertyNames?: Schema;
}

const root = JSON.parse(configSchema()) as Schema & { definitions: Record<string, Schema> };

/** Just the keywords that the schema uses; one that is not here fails, so that none is ignored. */
const CHECKS: { [keyword: string]: (value: unknown, argument: never, schema: Schema) => boolean } =
  {
    type: (value, types: string | string[]) => [types].flat().includes(typeOf(value)),
    enum: (value, words: unknown[]) => words.includes(value),
    const: (value, only: unknown) => value === only,
    pattern: (value, source: string) =>
      typeof value !== 'string' || new RegExp(source, 'u').test(value),
    minLength: (value, length: number) => typeof value !== 'string' || value.length >= length,
    minimum: (value, least: number) => typeof value !== 'number' || value >= least,
    maximum: (value, most: number) => typeof value !== 'number' || value <= most,
    anyOf: (value, schemas: Schema[]) => schemas.some((schema) => isValid(value, schema)),
    not: (value, schema: Schema) => !isValid(value, schema),
    items: (value, schema: Schema) =>
      !Array.isArray(value) || value.every((item) => isValid(item, schema)),
    required: (value, keys: string[]) =>
      !isMap(value) || keys.every((key) => Object.hasOwn(value, key)),
    properties: () => true,
    propertyNames: (value, schema: Schema) =>
      !isMap(value) || Object.keys(value).every((key) => isValid(key, schema)),
    additionalProperties: (value, other: Schema | false, schema) =>
      !isMap(value) ||
      Object.entries(value).every(([key, child]) => {
        const known = schema.properties?.[key] ?? other;
        return known !== false && isValid(child, known);
      }),
    $ref: (value, reference: string) =>
      isValid(value, root.definitions[reference.replace('#/definitions/', '')]!),
  };
const SILENT = ['$schema', 'title', 'description', 'errorMessage', 'doNotSuggest', 'definitions'];

function isValid(value: unknown, schema: Schema): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    if (SILENT.includes(keyword)) return true;
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`unknown keyword ${keyword}`);
    return check(value, argument as never, schema);
  });
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeOf(value) === 'object';
}

const validCases = new URL('cases/valid/', import.meta.url);
const example = new URL('../../../config/sluice.example.yaml', import.meta.url);
const files = readdirSync(validCases).filter((name) => name.endsWith('.yaml'));

test.each(files)('a file that is in order is valid: %s', (name) => {
  expect(isValid(parse(readFileSync(new URL(name, validCases), 'utf8')), root)).toBe(true);
});

test('the example is valid', () => {
  expect(isValid(parse(readFileSync(example, 'utf8')), root)).toBe(true);
});

describe('what Sluice refuses by its form alone is not valid', () => {
  test.each([
    'lisen: 1',
    'log: { levle: info }',
    'log: { level: loud }',
    'listen: { port: 65536 }',
    'listen: [{ port: x }]',
    'drain: { transactions: off }',
    'drain: { ready_off: 5 }',
    'limits: { message_bytes: 1MB }',
    'servers: { db1: {} }',
    'servers: { "db 1": { address: db1 } }',
    'services: { pool: { size: 3 } }',
    'services: [{ name: a, pool: { size: 0 } }]',
    'services: [{ name: a, pool: { size: { replica: 3 } } }]',
    'policies: []',
    'defaults: { timeouts: { statement: 5s } }',
  ])('%s', (text) => {
    expect(isValid(parse(text), root)).toBe(false);
  });
});

test('a value may come from the environment', () => {
  expect(isValid({ listen: { port: '$' + '{PORT}' } }, root)).toBe(true);
});
