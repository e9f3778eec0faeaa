import { describe, expect, test } from 'vitest';
import { metricTable } from '../../../src/telemetry/metric-table.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';

function newMetrics(): Metrics {
  return new Metrics({ version: '1.2.3', instance: 'a' });
}

/** The samples of one metric, as they stand in the text. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const lines = (await metrics.text()).split('\n');
  return lines.filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`).test(line));
}

describe('metrics', () => {
  test('every metric of the table is exported with its type and help', async () => {
    const text = await newMetrics().text();
    for (const [name, row] of Object.entries(metricTable)) {
      expect(text).toContain(`# TYPE ${name} ${row.type}\n`);
      expect(text).toContain(`# HELP ${name} ${row.help}\n`);
    }
  });

  test('names follow the conventions: prefix, base unit, _total on counters only', () => {
    for (const [name, row] of Object.entries(metricTable)) {
      expect(name).toMatch(/^sluice_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(row.type === 'counter');
      if (row.type === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });

  test('labels of samples are those of the table', async () => {
    const metrics = busyMetrics();
    const text = await metrics.text();
    for (const [name, row] of Object.entries(metricTable)) {
      const lines = await samples(metrics, name);
      expect(lines, `${name} has no sample in ${text}`).not.toEqual([]);
      for (const line of lines) {
        const labels = [...line.matchAll(/[{,]([a-z_]+)="/g)].map((match) => match[1]);
        const expected = line.includes('_bucket{') ? [...row.labels, 'le'] : [...row.labels];
        expect(labels.sort(), line).toEqual(expected.sort());
      }
    }
  });

  test('counters are read from the fields at the moment of the scrape', async () => {
    const metrics = newMetrics();
    const meters = metrics.service('orders');
    meters.simpleOk += 2;
    meters.extendedFailed++;
    expect(await samples(metrics, 'sluice_queries_total')).toEqual([
      'sluice_queries_total{service="orders",protocol="simple",outcome="ok"} 2',
      'sluice_queries_total{service="orders",protocol="simple",outcome="error"} 0',
      'sluice_queries_total{service="orders",protocol="extended",outcome="ok"} 0',
      'sluice_queries_total{service="orders",protocol="extended",outcome="error"} 1',
    ]);
    meters.simpleOk++;
    expect((await samples(metrics, 'sluice_queries_total'))[0]).toMatch(/ 3$/);
  });

  test('a histogram is cumulative and ends with everything', async () => {
    const metrics = newMetrics();
    for (const ms of [0.1, 1, 1, 500_000]) metrics.service('orders').query.observe(ms);
    const lines = await samples(metrics, 'sluice_query_seconds');
    expect(lines).toContain('sluice_query_seconds_bucket{service="orders",le="0.000128"} 1');
    expect(lines).toContain('sluice_query_seconds_bucket{service="orders",le="0.001024"} 3');
    expect(lines).toContain('sluice_query_seconds_bucket{service="orders",le="134.217728"} 3');
    expect(lines).toContain('sluice_query_seconds_bucket{service="orders",le="+Inf"} 4');
    expect(lines).toContain('sluice_query_seconds_sum{service="orders"} 500.0021');
    expect(lines).toContain('sluice_query_seconds_count{service="orders"} 4');
  });

  test('errors, refusals and pins are counted by what they are', async () => {
    const metrics = newMetrics();
    const meters = metrics.service('orders');
    meters.error('42', 'client');
    meters.error('42', 'client');
    meters.refusal('queue_full');
    meters.pin('temp_table');
    expect(await samples(metrics, 'sluice_errors_total')).toEqual([
      'sluice_errors_total{service="orders",class="42",fault="client"} 2',
    ]);
    expect(await samples(metrics, 'sluice_refusals_total')).toEqual([
      'sluice_refusals_total{service="orders",code="queue_full"} 1',
    ]);
    expect(await samples(metrics, 'sluice_pins_total')).toEqual([
      'sluice_pins_total{service="orders",reason="temp_table"} 1',
    ]);
  });

  test('one name has one set of meters', () => {
    const metrics = newMetrics();
    expect(metrics.service('a')).toBe(metrics.service('a'));
    expect(metrics.target('a', 'b', 'c')).toBe(metrics.target('a', 'b', 'c'));
    expect(metrics.target('a', 'b', 'c')).not.toBe(metrics.target('a', 'bc', ''));
  });

  test('a name from the configuration cannot break the format', async () => {
    const metrics = newMetrics();
    metrics.service('a"b\\c\nd').orphansCancelled++;
    expect(await samples(metrics, 'sluice_orphans_cancelled_total')).toEqual([
      'sluice_orphans_cancelled_total{service="a\\"b\\\\c\\nd"} 1',
    ]);
  });
});

function busyMetrics(): Metrics {
  const metrics = newMetrics();
  const meters = metrics.service('orders');
  meters.error('42', 'client');
  meters.refusal('queue_full');
  meters.pin('temp_table');
  metrics.target('orders', 'shop', 'primary').connects++;
  metrics.watch({
    clients: () => [{ service: 'orders', state: 'idle', count: 3 }],
    waiting: () => [{ service: 'orders', count: 1, oldestMs: 1500 }],
    servers: () => [
      { service: 'orders', database: 'shop', target: 'primary', state: 'idle', count: 2 },
    ],
  });
  metrics.watch({ statementCache: () => ({ hits: 1, misses: 2 }), logLinesDropped: () => 4 });
  metrics.watch({ loggingIn: () => [{ phase: 'tls', count: 3 }], handshakesWaiting: () => 2 });
  return metrics;
}
