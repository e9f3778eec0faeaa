/**
 * `log.format: pretty`: a JSON log line as a person at a terminal wants it. Made from the finished
 * line rather than from the attributes, so that what is censored in one format is censored in the
 * other. `pino-pretty` does the same with many options nobody here needs, and would be one more
 * thing to install in production.
 */

const LEVEL_WIDTH = 5;

/** `10:15:02.123 INFO  listening host=127.0.0.1 port=6432`, an error's stack on lines below. */
export function prettyLine(line: string): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { time, level, message, error, ...attributes } = record;
  const head = `${timeOfDay(time)} ${String(level).toUpperCase().padEnd(LEVEL_WIDTH)} ${message}`;
  const pairs = Object.entries(attributes).map(([name, value]) => ` ${name}=${readable(value)}`);
  return `${head}${pairs.join('')}${errorText(error)}\n`;
}

function timeOfDay(time: unknown): string {
  return String(time).slice('2026-01-01T'.length, -'Z'.length);
}

function readable(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && (text === '' || /[\s"=]/.test(text))
    ? JSON.stringify(text)
    : text;
}

function errorText(error: unknown): string {
  if (error === undefined) return '';
  if (typeof error !== 'object' || error === null) return ` error=${readable(error)}`;
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  const text = typeof stack === 'string' ? stack : String(message ?? JSON.stringify(error));
  return `\n    ${text.replaceAll('\n', '\n    ')}`;
}
