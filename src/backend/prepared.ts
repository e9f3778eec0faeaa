/**
 * A protocol-level prepared statement as everybody shares it: the text and parameter types of a
 * Parse, whatever name a client gave it. Two clients that prepare the same thing hold the same
 * object, and a server that has it once serves both.
 *
 * `P` is what a caller keeps beside it (the facts of the text): this folder never reads SQL.
 */
import { latin1 } from '../util/bytes.ts';

export class Prepared {
  /** Unique in this process; the server-side name is made of it. */
  readonly id: number;
  /** The name it has on every server that has it, as bytes with the final zero. */
  readonly serverName: Buffer;
  /** The body of its Parse after the name: text, zero, number of types, types. Owned, exact. */
  readonly body: Buffer;
  /** What the registry finds it by; empty for one that nobody shares. */
  readonly key: string;
  /** Facts about the text, opaque here. */
  readonly facts: unknown;
  /** A statement that is too long to keep: it lives on the one server that was sent it. */
  readonly huge: boolean;

  constructor(id: number, body: Buffer, facts: unknown, huge: boolean, key = '') {
    this.id = id;
    this.serverName = Buffer.from(`sluice_${id}\0`, 'latin1');
    this.body = body;
    this.key = key;
    this.facts = facts;
    this.huge = huge;
  }
}

/**
 * Finds the one `Prepared` of a text and its types. Entries are held weakly: sessions and servers
 * that use one keep it alive, and when the last is gone so is the entry.
 */
export class PreparedRegistry {
  readonly #byKey = new Map<string, WeakRef<Prepared>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    if (this.#byKey.get(key)?.deref() === undefined) this.#byKey.delete(key);
  });
  #nextId = 1;

  get size(): number {
    return this.#byKey.size;
  }

  /**
   * `[start, end)` is the body of a Parse after its name. `variant` tells apart what the same bytes
   * mean to sessions with other encodings. `facts` is asked for on a miss only.
   */
  intern(
    buffer: Buffer,
    start: number,
    end: number,
    variant: string,
    facts: () => unknown,
  ): Prepared {
    const key = variant + latin1(buffer, start, end);
    const known = this.#byKey.get(key)?.deref();
    if (known !== undefined) return known;
    const body = exactCopy(buffer, start, end);
    const prepared = new Prepared(this.#nextId++, body, facts(), false, key);
    this.#byKey.set(key, new WeakRef(prepared));
    this.#collected.register(prepared, key);
    return prepared;
  }

  /** One for a session alone, because the text means something else to it than to others. */
  own(buffer: Buffer, start: number, end: number, facts: unknown): Prepared {
    return new Prepared(this.#nextId++, exactCopy(buffer, start, end), facts, false);
  }

  /** Nobody finds it any more: the next who asks for its text gets a new one, under a new name. */
  retire(prepared: Prepared): void {
    if (this.#byKey.get(prepared.key)?.deref() === prepared) this.#byKey.delete(prepared.key);
  }

  /** One that nobody shares, for a text too long to be kept. */
  unshared(facts: unknown): Prepared {
    return new Prepared(this.#nextId++, Buffer.alloc(0), facts, true);
  }
}

function exactCopy(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(copy, 0, start, end);
  return copy;
}
