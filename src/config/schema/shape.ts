/**
 * The words the table of keys is written in. The table is data: nothing here reads a file. Readers
 * of the table (`read.ts`, `json-schema.ts`, `example.ts`, `reference.ts`) walk the same five kinds
 * of node, and `ValueOf` gives the type of what a reader gets, so that a key cannot be used under
 * a name or a type that the table does not have.
 *
 * Defaults are written as an operator would write them, and read by the type like any other value.
 */
import type { ValueType } from '../value-type.ts';

/** What a change of the key needs to take effect. */
export type Reload = 'now' | 'next lease' | 'restart';

/** A key with a single value. A `default` of null means "not given". */
export interface Leaf<T> {
  readonly kind: 'leaf';
  readonly type: ValueType<unknown>;
  readonly doc: string;
  readonly default: string | null;
  readonly required: boolean;
  /** The key whose value holds where this one is not given. */
  readonly inherits: string | null;
  readonly reload: Reload;
  /** Never printed, logged or shown. */
  readonly secret: boolean;
  /** What the annotated example sets the key to; null comments it out. */
  readonly shown: string | null;
  /** What the annotated example shows behind a comment sign. */
  readonly sample: string;
  /** Only for the compiler: carries the type of the value. */
  readonly value?: T;
}

/** A key that takes a list, and a single item as a list of one. Null when not given. */
export interface List<N> {
  readonly kind: 'list';
  readonly of: N;
  readonly doc: string;
  /** What stands for no list at all: null, or one item that is all defaults. */
  readonly absent: 'null' | 'one default item';
  /** As of a leaf, where the items are single values. */
  readonly shown: string | null;
}

/** A map with known keys. One that is not given is read as an empty one. */
export interface Section<S> {
  readonly kind: 'section';
  readonly doc: string;
  readonly keys: S;
}

/** A map whose keys are names the operator chooses. */
export interface Named<S> {
  readonly kind: 'named';
  readonly doc: string;
  readonly of: Section<S>;
  readonly names: ValueType<string>;
  readonly shown: string;
}

/** A single value, or a map. */
export interface Either<T, S> {
  readonly kind: 'either';
  readonly doc: string;
  readonly leaf: Leaf<T>;
  readonly section: Section<S>;
}

/** A key of the contract whose feature is not in this version. It is refused, never ignored. */
export interface Later {
  readonly kind: 'later';
  readonly doc: string;
  /** The one value that asks for nothing, and is therefore allowed. */
  readonly unless: string | null;
}

export type Shape = { readonly [key: string]: Node };
export type Node =
  | Leaf<unknown>
  | List<Leaf<unknown>>
  | List<Section<Shape>>
  | Section<Shape>
  | Named<Shape>
  | Either<unknown, Shape>
  | Later;

export type ValueOf<N> =
  N extends Leaf<infer T>
    ? T
    : N extends List<infer M>
      ? readonly ValueOf<M>[] | null
      : N extends Section<infer S>
        ? SectionValue<S>
        : N extends Named<infer S>
          ? ReadonlyMap<string, SectionValue<S>>
          : N extends Either<infer T, infer S>
            ? T | SectionValue<S>
            : never;

type SectionValue<S> = {
  readonly [K in keyof S as S[K] extends Later ? never : K]: ValueOf<S[K]>;
};

interface LeafOptions<D extends string | null> {
  readonly default: D;
  readonly doc: string;
  readonly reload?: Reload;
  readonly shown?: string;
  readonly sample?: string;
}

type Given<T, D> = D extends null ? T | null : T;

export function leaf<T, D extends string | null>(
  type: ValueType<T>,
  options: LeafOptions<D>,
): Leaf<Given<T, D>> {
  return {
    kind: 'leaf',
    type,
    doc: options.doc,
    default: options.default,
    required: false,
    inherits: null,
    reload: options.reload ?? 'now',
    secret: type.source === 'secret',
    shown: options.shown ?? null,
    sample: options.sample ?? options.default ?? type.example,
  };
}

/** A key without a default, which must be there. */
export function required<T>(
  type: ValueType<T>,
  options: Omit<LeafOptions<null>, 'default'>,
): Leaf<T> {
  return { ...leaf(type, { ...options, default: null }), required: true } as Leaf<T>;
}

export function list<N>(
  of: N,
  doc: string,
  options: { shown?: string; absent?: List<N>['absent'] } = {},
): List<N> {
  return { kind: 'list', of, doc, absent: options.absent ?? 'null', shown: options.shown ?? null };
}

/** A list of single values. */
export function items<T>(
  type: ValueType<T>,
  doc: string,
  options: { shown?: string; sample?: string; reload?: Reload } = {},
): List<Leaf<T>> {
  const { shown, ...rest } = options;
  return list(required(type, { doc, ...rest }), doc, shown === undefined ? {} : { shown });
}

export function section<S extends Shape>(doc: string, keys: S): Section<S> {
  return { kind: 'section', doc, keys };
}

export function named<S extends Shape>(
  doc: string,
  names: ValueType<string>,
  of: Section<S>,
  options: { shown: string },
): Named<S> {
  return { kind: 'named', doc, of, names, shown: options.shown };
}

export function either<T, S extends Shape>(leaf: Leaf<T>, section: Section<S>): Either<T, S> {
  return { kind: 'either', doc: leaf.doc, leaf, section };
}

export function later(doc: string, options: { unless?: string } = {}): Later {
  return { kind: 'later', doc, unless: options.unless ?? null };
}
