/** Reading what `/metrics` says. */

/** Samples of one metric: the labels as they stand in the text, and the value. */
export function samples(metrics: string, name: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match?.[1] === name) found.set(match[2] ?? '', Number(match[3]));
  }
  return found;
}

/** Of all samples together. */
export function sumOf(metrics: string, name: string): number {
  let sum = 0;
  for (const value of samples(metrics, name).values()) sum += value;
  return sum;
}
