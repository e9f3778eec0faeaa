/** `src/errors/TABLE.md`, from the catalog. */
import { type CatalogRow, catalog } from '../../src/errors/catalog.ts';
import { markdownTable } from './markdown.ts';

export function errorTable(): string {
  const rows = Object.entries(catalog as Record<string, CatalogRow>);
  return [
    "# Errors of Sluice's own",
    '',
    'Generated from `catalog.ts` by `npm run docs`. What the servers say passes through.',
    '',
    'An ERROR ends the statement, a FATAL the connection. At login every error is FATAL. Errors',
    'that may be retried say `retry_after_ms=…` in DETAIL where Sluice knows it. The code is the',
    'label `code` of `sluice_refusals_total`, the fault the label `fault` of',
    '`sluice_errors_total`.',
    '',
    ...markdownTable(
      ['code', 'SQLSTATE', 'severity', 'fault', 'retry', 'message', 'when, and where to look'],
      rows.map(([code, row]) => [
        `\`${code}\``,
        row.sqlstate,
        row.severity,
        row.fault,
        row.retryable ? 'yes' : 'no',
        row.message,
        row.doc,
      ]),
    ),
    '',
    '## Hints',
    '',
    ...rows.flatMap(([code, row]) => (row.hint === null ? [] : [`- \`${code}\`: ${row.hint}`])),
    '',
  ].join('\n');
}
