/**
 * Documents whose facts live in the source. `npm run docs` writes them; a test compares every one
 * with what is on disk, so a table that drifts from its code does not get past `npm run check`.
 *
 * A new document is a function that returns its text and a line in `documents`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configExample } from './config-example.ts';
import { configReference } from './config-reference.ts';
import { configSchema } from './config-schema.ts';
import { errorTable } from './error-table.ts';
import { metricsTable } from './metrics-table.ts';

/** Path from the root of the repository → its text as it should be. */
export const documents: Readonly<Record<string, () => string>> = {
  'config/REFERENCE.md': configReference,
  'config/sluice.example.yaml': configExample,
  'config/sluice.schema.json': configSchema,
  'src/errors/TABLE.md': errorTable,
  'src/telemetry/METRICS.md': metricsTable,
};

/** Paths of documents that are not as they should be. */
export function staleDocuments(): string[] {
  return Object.entries(documents)
    .filter(([path, generate]) => textOf(path) !== generate())
    .map(([path]) => path);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(absolute(path), 'utf8');
  } catch {
    return null;
  }
}

function absolute(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

if (import.meta.main) {
  for (const path of staleDocuments()) {
    writeFileSync(absolute(path), documents[path]!());
    process.stdout.write(`wrote ${path}\n`);
  }
}
