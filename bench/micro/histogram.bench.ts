/**
 * What one observation costs, over durations as a proxy sees them. Run:
 *
 *     node bench/micro/histogram.bench.ts [observations in millions]
 *
 * Prints ns per observation, ours beside prom-client's with its label bound beforehand; asserts
 * nothing, because machines differ.
 */
import { Histogram, Registry } from 'prom-client';
import { boundsSeconds, DurationHistogram } from '../../src/telemetry/histogram.ts';

const OBSERVATIONS = Number(process.argv[2] ?? 10) * 1e6;

/** From 50 microseconds to 5 seconds, most of them short; a fixed sequence. */
const durationsMs = Float64Array.from({ length: 4096 }, (_, i) => {
  const spread = ((i * 2_654_435_761) % 4096) / 4096;
  return 0.05 * 100_000 ** (spread * spread);
});

function measure(name: string, observe: (durationMs: number) => void, count: number): void {
  for (let i = 0; i < 100_000; i++) observe(durationsMs[i & 4095]!);
  const startMs = performance.now();
  for (let i = 0; i < count; i++) observe(durationsMs[i & 4095]!);
  const elapsedMs = performance.now() - startMs;
  console.log(`${name.padEnd(24)} ${((elapsedMs * 1e6) / count).toFixed(1)} ns per observation`);
}

const ours = new DurationHistogram();
const child = new Histogram({
  name: 'bench_seconds',
  help: 'bench',
  labelNames: ['service'],
  buckets: [...boundsSeconds],
  registers: [new Registry()],
}).labels('orders');

measure('DurationHistogram', (durationMs) => ours.observe(durationMs), OBSERVATIONS);
measure('prom-client, label bound', (ms) => child.observe(ms / 1000), OBSERVATIONS / 10);
