/**
 * What differs between two configurations, key by key, by the table of keys: what the log says of a
 * reload, when each change takes effect, and which changes have to wait for a restart.
 *
 * Items of a list are told apart by what names them (`name`, or `host:port`), not by their place,
 * so that a service put on top of the list is one service more and not a change of every other.
 * Values are shown as an operator would write them, and secrets and PEM texts not at all: that they
 * have changed is all anybody may read.
 */
import { hostPort } from './build.ts';
import { keyPath } from './problems.ts';
import { REDACTED } from './redact.ts';
import type { Either, Leaf, List, Named, Node, Reload, Section, Shape } from './schema/shape.ts';
import { type Settings, schema } from './schema.ts';
import type { TextFile } from './texts.ts';
import { formatDuration } from './values.ts';

export interface Change {
  readonly path: string;
  readonly reload: Reload;
  /** As written, `(secret)`, `(PEM)`; `none` where the key or the item was not there. */
  readonly before: string;
  readonly after: string;
}

const NONE = 'none';
const PRESENT = 'present';

type Tree = { readonly [key: string]: unknown };
type SectionList = List<Section<Shape>>;

export function compareSettings(before: Settings, after: Settings): readonly Change[] {
  const changes: Change[] = [];
  compare(schema, before, after, '', changes);
  return changes;
}

/** `after`, with the keys that need a restart as they are in `before`. */
export function holdRestartKeys(before: Settings, after: Settings): Settings {
  return held(schema, before, after) as Settings;
}

// ── Comparing ────────────────────────────────────────────────────────────────────────────────

function compare(node: Node, before: unknown, after: unknown, path: string, to: Change[]): void {
  switch (node.kind) {
    case 'leaf':
      compareLeaf(node, before, after, path, to);
      break;
    case 'list':
      if (node.of.kind === 'leaf') compareLeaf(node.of, before, after, path, to);
      else compareItems(node as SectionList, before, after, path, to);
      break;
    case 'section':
      compareSection(node, before as Tree, after as Tree, path, to);
      break;
    case 'named':
      compareNamed(node, before, after, path, to);
      break;
    case 'either':
      compareEither(node, before, after, path, to);
      break;
    case 'later':
  }
}

function compareLeaf(
  leaf: Leaf<unknown>,
  before: unknown,
  after: unknown,
  path: string,
  to: Change[],
): void {
  if (isSame(before, after)) return;
  to.push({ path, reload: leaf.reload, before: shown(leaf, before), after: shown(leaf, after) });
}

function compareSection(
  section: Section<Shape>,
  before: Tree,
  after: Tree,
  path: string,
  to: Change[],
): void {
  for (const [key, node] of Object.entries(section.keys)) {
    compare(node, before[key], after[key], keyPath(path, key), to);
  }
}

function compareNamed(
  named: Named<Shape>,
  before: unknown,
  after: unknown,
  path: string,
  to: Change[],
): void {
  compareEntries(before as Map<string, Tree>, after as Map<string, Tree>, (name, old, now) => {
    const at = keyPath(path, name);
    if (old === undefined || now === undefined) to.push(cameOrWent(at, old, now));
    else compareSection(named.of, old, now, at, to);
  });
}

function compareItems(
  list: SectionList,
  before: unknown,
  after: unknown,
  path: string,
  to: Change[],
): void {
  const old = byIdentity(before as readonly Tree[] | null);
  const now = byIdentity(after as readonly Tree[] | null);
  compareEntries(old, now, (id, oldItem, nowItem) => {
    const at = `${path}[${id}]`;
    if (oldItem === undefined || nowItem === undefined) to.push(cameOrWent(at, oldItem, nowItem));
    else compareSection(list.of, oldItem, nowItem, at, to);
  });
  const common = (ids: Iterable<string>) => [...ids].filter((id) => old.has(id) && now.has(id));
  const [oldOrder, nowOrder] = [common(old.keys()).join(', '), common(now.keys()).join(', ')];
  if (oldOrder !== nowOrder) {
    to.push({ path: `${path} (order)`, reload: 'now', before: oldOrder, after: nowOrder });
  }
}

function compareEither(
  either: Either<unknown, Shape>,
  before: unknown,
  after: unknown,
  path: string,
  to: Change[],
): void {
  if (isTree(before) && isTree(after)) {
    compareSection(either.section, before, after, path, to);
  } else if (!isSame(before, after)) {
    const { leaf } = either;
    const text = (value: unknown): string => (isTree(value) ? 'a map' : shown(leaf, value));
    to.push({ path, reload: leaf.reload, before: text(before), after: text(after) });
  }
}

function compareEntries(
  before: ReadonlyMap<string, Tree>,
  after: ReadonlyMap<string, Tree>,
  each: (name: string, before: Tree | undefined, after: Tree | undefined) => void,
): void {
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    each(name, before.get(name), after.get(name));
  }
}

function cameOrWent(path: string, before: Tree | undefined, after: Tree | undefined): Change {
  return {
    path,
    reload: 'now',
    before: before === undefined ? NONE : PRESENT,
    after: after === undefined ? NONE : PRESENT,
  };
}

// ── Holding back ─────────────────────────────────────────────────────────────────────────────

function held(node: Node, before: unknown, after: unknown): unknown {
  switch (node.kind) {
    case 'leaf':
      return node.reload === 'restart' ? before : after;
    case 'section':
      return heldSection(node, before as Tree, after as Tree);
    case 'named': {
      const old = before as ReadonlyMap<string, Tree>;
      return new Map(
        [...(after as ReadonlyMap<string, Tree>)].map(([name, now]) => [
          name,
          heldItem(node.of, old.get(name), now),
        ]),
      );
    }
    case 'list': {
      if (node.of.kind === 'leaf') return node.of.reload === 'restart' ? before : after;
      if (after === null) return null;
      const { of } = node as SectionList;
      const old = byIdentity(before as readonly Tree[] | null);
      const now = byIdentity(after as readonly Tree[]);
      return [...now].map(([id, item]) => heldItem(of, old.get(id), item));
    }
    case 'either': {
      if (isTree(before) && isTree(after)) return heldSection(node.section, before, after);
      return node.leaf.reload === 'restart' ? before : after;
    }
    case 'later':
      return after;
  }
}

function heldItem(section: Section<Shape>, before: Tree | undefined, after: Tree): Tree {
  return before === undefined ? after : heldSection(section, before, after);
}

function heldSection(section: Section<Shape>, before: Tree, after: Tree): Tree {
  const values: Record<string, unknown> = { ...after };
  for (const [key, node] of Object.entries(section.keys)) {
    if (key in after) values[key] = held(node, before[key], after[key]);
  }
  return values;
}

// ── Values ───────────────────────────────────────────────────────────────────────────────────

/** Items in their order, by what names them; by their place where nothing does or two share it. */
function byIdentity(items: readonly Tree[] | null): ReadonlyMap<string, Tree> {
  const found = new Map<string, Tree>();
  for (const [index, item] of (items ?? []).entries()) {
    const id = identityOf(item) ?? String(index);
    found.set(found.has(id) ? `${id} #${index}` : id, item);
  }
  return found;
}

function identityOf(item: Tree): string | null {
  const { name, role, host, port } = item;
  if (typeof name === 'string') return name;
  if (typeof host === 'string' && typeof port === 'number') return hostPort(host, port);
  return typeof role === 'string' ? role : null;
}

function shown(leaf: Leaf<unknown>, value: unknown): string {
  if (value === null || value === undefined) return NONE;
  if (leaf.secret) return REDACTED;
  if (leaf.type.source === 'pem') return '(PEM)';
  if (leaf.type.source === 'file') return (value as TextFile).path;
  if (Array.isArray(value)) return `[${value.map((item) => shown(leaf, item)).join(', ')}]`;
  if (leaf.type.name === 'a duration') return formatDuration(value as number);
  if (!isTree(value)) return String(value);
  const { host, port } = value;
  if (typeof host !== 'string' || typeof port !== 'number') return JSON.stringify(value);
  const { database } = value;
  return `${hostPort(host, port)}${typeof database === 'string' ? `/${database}` : ''}`;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Values of leaves are texts, numbers, lists of those, or small records of them. */
function isSame(before: unknown, after: unknown): boolean {
  return before === after || JSON.stringify(before) === JSON.stringify(after);
}
