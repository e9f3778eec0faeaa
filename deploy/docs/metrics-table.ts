/** `src/telemetry/METRICS.md`, from the metric table. */
import { type MetricRow, metricTable } from '../../src/telemetry/metric-table.ts';
import { boundsSeconds } from '../../src/telemetry/histogram.ts';
import { markdownTable } from './markdown.ts';

export function metricsTable(): string {
  const rows = Object.entries(metricTable as Record<string, MetricRow>);
  return [
    '# Metrics',
    '',
    'Generated from `metric-table.ts` by `npm run docs`. Scraped from `/metrics` of the `http`',
    'port, which also has the usual `process_*` and `nodejs_*` metrics;',
    '`nodejs_eventloop_lag_p99_seconds` says how late the event loop is.',
    '',
    'Counters start at zero with the process. An empty `service` is what happened before the',
    'service of a client was known. Histograms have the buckets of the list below, in seconds.',
    '',
    ...markdownTable(
      ['name', 'type', 'labels', 'meaning'],
      rows.map(([name, row]) => [
        `\`${name}\``,
        row.type,
        row.labels.map((label) => `\`${label}\``).join(' '),
        row.help,
      ]),
    ),
    '',
    '## Buckets',
    '',
    ...wrapped(boundsSeconds.map(String)),
    '',
  ].join('\n');
}

const LINE_WIDTH = 100;

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line.length + word.length + 1 > LINE_WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
