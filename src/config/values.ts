/**
 * Values that are measured: durations, sizes, counts, percents. A unit is required wherever there
 * is more than one to choose from, because `timeout: 30` has been seconds in one system and
 * milliseconds in the next often enough.
 */
import { OFF } from './snapshot.ts';
import { type JsonSchema, type ValueType, WrongValue } from './value-type.ts';

interface Unit {
  readonly [suffix: string]: number;
}

const DURATION: Unit = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
const SIZE: Unit = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };
const COUNT: Unit = { '': 1, k: 1000, M: 1_000_000, G: 1_000_000_000 };

/** A timer's delay is an Int32 of milliseconds, 24.8 days; longer ones fire at once (Node docs). */
const DURATION_MAX_MS = 500 * 3_600_000;

const AMOUNT = /^(\d+(?:\.\d+)?) ?([A-Za-z%]*)$/;

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** `250ms`, `5s`, `10min`, `1h`; `off` where the type allows it, which reads as `OFF`. */
export function duration(options: { off?: boolean } & Bounds = {}): ValueType<number> {
  const { off = false, min = 1, max = DURATION_MAX_MS } = options;
  return {
    name: 'a duration',
    form: `250ms, 5s, 10min or 1h${off ? ', or off' : ''}, up to ${formatDuration(max)}`,
    example: '5s',
    source: 'text',
    parse(text) {
      if (text === 'off') {
        if (off) return OFF;
        throw new WrongValue('this one cannot be off');
      }
      return bounded(amount(text, DURATION, 'a unit: ms, s, min or h'), min, max, formatDuration);
    },
    json: pattern(`^(${off ? 'off|' : ''}\\d+(\\.\\d+)? ?(ms|s|min|h))$`),
  };
}

/** `512B`, `64KiB`, `2GiB`: powers of 1024 only, so that nobody has to know which M was meant. */
export function size(options: Bounds = {}): ValueType<number> {
  const { min = 1, max = Number.MAX_SAFE_INTEGER } = options;
  return {
    name: 'a size',
    form: `512B, 64KiB, 16MiB or 2GiB${range({ ...options }, formatSize)}`,
    example: '64KiB',
    source: 'text',
    parse: (text) =>
      bounded(amount(text, SIZE, 'a unit: B, KiB, MiB, GiB or TiB'), min, max, formatSize),
    json: pattern('^\\d+(\\.\\d+)? ?(B|KiB|MiB|GiB|TiB)$'),
  };
}

/** A whole number, in full or as `10k`, `1M`. */
export function count(options: Bounds = {}): ValueType<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return {
    name: 'a count',
    form: `a whole number${range({ min, ...options }, String)}, also as 10k or 1M`,
    example: String(Math.max(min, Math.min(max, 20))),
    source: 'text',
    parse(text) {
      const value = bounded(amount(text, COUNT, 'k, M, G or nothing behind it'), min, max, String);
      if (!Number.isInteger(value)) throw new WrongValue('it is not whole');
      return value;
    },
    json: { anyOf: [integerJson({ min, ...options }), pattern('^\\d+(\\.\\d+)? ?[kMG]?$')] },
  };
}

/** A port, where 0 asks the system for a free one; `off` reads as null where the type allows it. */
export function port(): ValueType<number> {
  return {
    name: 'a port',
    form: 'a number from 0 to 65535, where 0 takes any free one',
    example: '6432',
    source: 'text',
    parse: parsePort,
    json: integerJson({ min: 0, max: 65_535 }),
  };
}

export function portOrOff(): ValueType<number | null> {
  const plain = port();
  return {
    ...plain,
    name: 'a port',
    form: `${plain.form}, or off`,
    parse: (text) => (text === 'off' ? null : parsePort(text)),
    json: { anyOf: [plain.json, { const: 'off' }] },
  };
}

/** `10%`, read as the fraction 0.1. */
export function percent(): ValueType<number> {
  return {
    name: 'a percentage',
    form: '0% to 100%',
    example: '10%',
    source: 'text',
    parse: (text) => bounded(amount(text, { '%': 1 }, 'a % behind it'), 0, 100, String) / 100,
    json: pattern('^\\d+(\\.\\d+)?%$'),
  };
}

export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new WrongValue('it is not a number');
  return bounded(Number(text), 0, 65_535, String);
}

/** The shortest exact way to write a duration; also how defaults are shown. */
export function formatDuration(ms: number): string {
  return ms === OFF ? 'off' : inUnits(ms, DURATION);
}

export function formatSize(bytes: number): string {
  return inUnits(bytes, SIZE);
}

function inUnits(value: number, units: Unit): string {
  const entries = Object.entries(units).sort((a, b) => b[1] - a[1]);
  const [suffix, factor] = entries.find((unit) => value % unit[1] === 0) ?? ['', 1];
  return `${value / factor}${suffix}`;
}

function amount(text: string, units: Unit, needs: string): number {
  const match = AMOUNT.exec(text);
  if (match === null) {
    throw new WrongValue(text.startsWith('-') ? 'it is below zero' : 'it is not a number');
  }
  const factor = Object.hasOwn(units, match[2]!) ? units[match[2]!]! : null;
  if (factor === null) throw new WrongValue(`it needs ${needs}`);
  return Number(match[1]) * factor;
}

function bounded(value: number, min: number, max: number, show: (value: number) => string): number {
  if (value < min) throw new WrongValue(`the least is ${show(min)}`);
  if (value > max) throw new WrongValue(`the most is ${show(max)}`);
  return value;
}

function range(bounds: Bounds, show: (value: number) => string): string {
  if (bounds.min !== undefined && bounds.max !== undefined) {
    return ` from ${show(bounds.min)} to ${show(bounds.max)}`;
  }
  if (bounds.min !== undefined) return ` of at least ${show(bounds.min)}`;
  return bounds.max === undefined ? '' : ` up to ${show(bounds.max)}`;
}

function pattern(source: string): JsonSchema {
  return { type: 'string', pattern: source };
}

function integerJson(bounds: Bounds): JsonSchema {
  return {
    type: 'integer',
    ...(bounds.min === undefined ? {} : { minimum: bounds.min }),
    ...(bounds.max === undefined ? {} : { maximum: bounds.max }),
  };
}
