/**
 * Reads a document by the table of keys: every key known, every value of its type, every default
 * filled in. What is wrong is reported and replaced by something harmless of the right type, so
 * that reading goes on and finds the rest; a configuration with problems is never used.
 */
import { isMap, isScalar, isSeq, type Node as YamlNode, type Pair, type YAMLMap } from 'yaml';
import type { ConfigDocument } from './document.ts';
import { expand, pathOf, SourceMissing, type Surroundings } from './expand.ts';
import { itemPath, keyPath, type Problems } from './problems.ts';
import type { Either, Later, Leaf, List, Named, Node, Section, Shape } from './schema/shape.ts';
import { type Settings, schema } from './schema.ts';
import { didYouMean } from './suggest.ts';
import { WrongValue } from './value-type.ts';

export const NOT_AVAILABLE = 'not available in this version';

export function readSettings(
  document: ConfigDocument,
  surroundings: Surroundings,
  problems: Problems,
): Settings {
  // The one place where what was read by the table is given the type the table says it has.
  return new Reader(document, surroundings, problems).read(schema, document.root, '') as Settings;
}

class Reader {
  readonly #document: ConfigDocument;
  readonly #surroundings: Surroundings;
  readonly #problems: Problems;

  constructor(document: ConfigDocument, surroundings: Surroundings, problems: Problems) {
    this.#document = document;
    this.#surroundings = surroundings;
    this.#problems = problems;
  }

  read(node: Node, written: YamlNode | null, path: string): unknown {
    switch (node.kind) {
      case 'leaf':
        return this.#leaf(node, written, path);
      case 'list':
        return this.#list(node, written, path);
      case 'section':
        return this.#section(node, written, path);
      case 'named':
        return this.#named(node, written, path);
      case 'either':
        return this.#either(node, written, path);
      case 'later':
        return this.#later(node, written, path);
    }
  }

  #leaf(leaf: Leaf<unknown>, written: YamlNode | null, path: string): unknown {
    if (written === null) {
      if (leaf.required) this.#problems.add(path, `is needed; ${howToWrite(leaf)}`);
      return harmless(leaf);
    }
    if (!isScalar(written)) {
      this.#problems.add(path, `is ${kindOf(written)}, not a single value; ${howToWrite(leaf)}`);
      return harmless(leaf);
    }
    if (written.value === null) {
      if (leaf.required) this.#problems.add(path, `has no value; ${howToWrite(leaf)}`);
      else if (leaf.default !== null) {
        this.#problems.add(path, `has no value; leave it out to get the default, ${leaf.default}`);
      }
      return harmless(leaf);
    }
    const source = written.source ?? String(written.value);
    try {
      const text = expand(source, leaf.type.source, this.#surroundings);
      if (leaf.type.source !== 'file') return leaf.type.parse(text);
      return leaf.type.parse(text, pathOf(source, this.#surroundings));
    } catch (error) {
      if (error instanceof SourceMissing) this.#problems.add(path, error.message);
      else if (error instanceof WrongValue) this.#problems.add(path, wrong(leaf, source, error));
      else throw error;
      return harmless(leaf);
    }
  }

  #list(list: List<Node>, written: YamlNode | null, path: string): unknown {
    if (isAbsent(written)) {
      return list.absent === 'null' ? null : [this.read(list.of, null, itemPath(path, 0))];
    }
    if (!isSeq(written)) {
      const isValue = list.of.kind === 'leaf';
      return [this.read(list.of, written, isValue ? path : itemPath(path, 0))];
    }
    return written.items.map((entry, index) => {
      const item = this.#document.resolve(entry);
      const at = itemPath(path, index);
      this.#problems.place(at, this.#document.placeOf(entry));
      if (isAbsent(item)) this.#problems.add(at, 'is an item with nothing in it');
      return this.read(list.of, item, at);
    });
  }

  #section(section: Section<Shape>, written: YamlNode | null, path: string): unknown {
    const given = new Map<string, YamlNode | null>();
    for (const [key, value, keyNode] of this.#pairs(written, path, () => keysOf(section))) {
      const node = Object.hasOwn(section.keys, key) ? section.keys[key] : undefined;
      // Where the key itself is in the way, it is what has to be looked at, and not its value.
      if (node === undefined || node.kind === 'later') {
        this.#problems.place(keyPath(path, key), this.#document.placeOf(keyNode));
      }
      if (node === undefined) this.#problems.add(keyPath(path, key), unknownKey(key, section));
      else given.set(key, value);
    }
    const values: Record<string, unknown> = {};
    for (const [key, node] of Object.entries(section.keys)) {
      if (node.kind === 'later' && !given.has(key)) continue;
      values[key] = this.read(node, given.get(key) ?? null, keyPath(path, key));
    }
    return values;
  }

  #named(named: Named<Shape>, written: YamlNode | null, path: string): unknown {
    const entries = new Map<string, unknown>();
    for (const [key, value] of this.#pairs(written, path, () => 'names of your choosing')) {
      const at = keyPath(path, key);
      try {
        named.names.parse(key);
      } catch (error) {
        if (!(error instanceof WrongValue)) throw error;
        this.#problems.add(at, `is not ${named.names.name}; write ${named.names.form}`);
      }
      entries.set(key, this.read(named.of, value, at));
    }
    return entries;
  }

  #either(either: Either<unknown, Shape>, written: YamlNode | null, path: string): unknown {
    return isMap(written)
      ? this.#section(either.section, written, path)
      : this.#leaf(either.leaf, written, path);
  }

  #later(later: Later, written: YamlNode | null, path: string): unknown {
    if (later.unless !== null && isScalar(written) && written.source === later.unless) return null;
    this.#problems.add(path, NOT_AVAILABLE);
    return null;
  }

  /** Name, value and key of each entry of a map; aliases resolved, places remembered. */
  *#pairs(
    written: YamlNode | null,
    path: string,
    expected: () => string,
  ): IterableIterator<[string, YamlNode | null, unknown]> {
    if (isAbsent(written)) return;
    if (!isMap(written)) {
      this.#problems.add(path, `is ${kindOf(written)}, not a map; its keys are ${expected()}`);
      return;
    }
    for (const pair of written.items) {
      const key = this.#document.resolve(pair.key);
      if (!isScalar(key)) {
        const place = this.#document.placeOf(pair.key ?? written);
        this.#problems.addAt(place, path, 'a key must be a single word or text');
        continue;
      }
      const name = key.source ?? String(key.value);
      yield [name, this.#value(pair, keyPath(path, name)), pair.key];
    }
  }

  #value(pair: YAMLMap['items'][number] | Pair, path: string): YamlNode | null {
    const value = this.#document.resolve(pair.value);
    // A map or list begins on the line after its key; the key is what people look for.
    const hasOwnPlace = isScalar(value) && value.source !== '';
    this.#problems.place(path, this.#document.placeOf(hasOwnPlace ? pair.value : pair.key));
    if (value === null && pair.value !== null && pair.value !== undefined) {
      this.#problems.add(path, 'is an alias (*name) for which there is no anchor (&name) above it');
    }
    return value;
  }
}

function isAbsent(node: YamlNode | null): node is null {
  return node === null || (isScalar(node) && node.value === null);
}

/** What stands in for a value that is missing or wrong: the default, else one that is valid. */
function harmless(leaf: Leaf<unknown>): unknown {
  if (leaf.default !== null) return leaf.type.parse(leaf.default);
  return leaf.required ? leaf.type.parse(leaf.type.example) : null;
}

function howToWrite(leaf: Leaf<unknown>): string {
  const { form, example } = leaf.type;
  return `write ${form}${form.includes(example) ? '' : `, such as ${example}`}`;
}

function wrong(leaf: Leaf<unknown>, source: string, error: WrongValue): string {
  const what = leaf.secret ? 'the value' : `"${withoutCredentials(source)}"`;
  if (error.notAvailable) return `${error.message || what} is ${NOT_AVAILABLE}`;
  const reason = error.message === '' ? '' : `: ${error.message}`;
  return `${what} is not ${leaf.type.name}${reason}; ${howToWrite(leaf)}`;
}

const QUOTED_MAX = 80;

/** What is written before an `@` may be a password, whatever kind of value was meant. */
function withoutCredentials(source: string): string {
  const masked = source.replace(/^([a-z]+:\/\/)?[\s\S]*@/, '$1…@').replaceAll('\n', ' ');
  return masked.length > QUOTED_MAX ? `${masked.slice(0, QUOTED_MAX)}…` : masked;
}

function unknownKey(key: string, section: Section<Shape>): string {
  if (key === '<<') return 'merge keys (<<) are not read; an alias (*name) as a whole value is';
  const suggestion = didYouMean(key, Object.keys(section.keys));
  return suggestion === ''
    ? `unknown key; known here are ${keysOf(section)}`
    : `unknown key${suggestion}`;
}

function keysOf(section: Section<Shape>): string {
  const available = Object.entries(section.keys).filter(([, node]) => node.kind !== 'later');
  return available.map(([key]) => key).join(', ');
}

function kindOf(node: YamlNode): string {
  if (isMap(node)) return 'a map';
  return isSeq(node) ? 'a list' : 'a single value';
}
