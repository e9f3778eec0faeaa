/**
 * What the replies that are still owed leave open. A client may send a batch before it knows how
 * the one before has ended. If that has failed, then what it did to statements and names has not
 * happened, and whoever builds on it has to wait for the answer instead.
 *
 * Within one batch there is nothing to doubt: when one message fails, those behind it are skipped.
 */
import type { Prepared } from './prepared.ts';
import type { ReplyOwner } from './reply-owner.ts';
import { Expect, endsWithReady, isMark, type ReplyQueue } from './reply-queue.ts';

export class Doubts {
  readonly #queue: ReplyQueue;
  /** Counts Syncs: after an error, what follows the next one is carried out all the same. */
  #batch = 0;
  /** Named statements whose Parse has not been answered, and the batch it was sent in. */
  readonly #parsing = new Map<Prepared, number>();
  /** The same for the unnamed one: how many have not been answered, and the batch of the last. */
  #unnamedParsing = 0;
  #unnamedBatch = 0;

  constructor(queue: ReplyQueue) {
    this.#queue = queue;
  }

  synced(): void {
    this.#batch++;
  }

  parseSent(prepared: Prepared, name: string): void {
    if (name === '') {
      this.#unnamedParsing++;
      this.#unnamedBatch = this.#batch;
    } else {
      this.#parsing.set(prepared, this.#batch);
    }
  }

  /** It has been answered or skipped. */
  parseOver(prepared: Prepared, name: string): void {
    if (name === '') this.#unnamedParsing--;
    else this.#parsing.delete(prepared);
  }

  /** Whether the server may turn out not to have a statement that it was sent in another batch. */
  aboutStatement(prepared: Prepared, name: string): boolean {
    if (name === '') return this.#unnamedParsing > 0 && this.#unnamedBatch !== this.#batch;
    if (this.#parsing.size === 0) return false;
    return (this.#parsing.get(prepared) ?? this.#batch) !== this.#batch;
  }

  /** Whether names that `owner` gave or took back in another batch may turn out otherwise. */
  aboutNames(owner: ReplyOwner): boolean {
    if (this.#queue.named === 0) return false;
    let named = false;
    for (let index = 0; index < this.#queue.length; index++) {
      const entry = this.#queue.at(index);
      if (entry.owner !== owner) continue;
      if (entry.expect === Expect.Sync && named) return true;
      named ||= entry.name !== '';
    }
    return false;
  }

  /**
   * Whether a query of `owner` is to make the server forget all names. If it fails, what follows is
   * carried out nevertheless. Its answer comes without a Sync, be it the error of a message ahead.
   */
  aboutForgetting(owner: ReplyOwner): boolean {
    for (let index = 0; index < this.#queue.length; index++) {
      const { expect, namesBefore, owner: whose } = this.#queue.at(index);
      if (expect === Expect.Query && namesBefore !== null && whose === owner) return true;
    }
    return false;
  }

  /** Whether ReadyForQuery will come for `owner` even if nothing more is sent. */
  owesReady(owner: ReplyOwner): boolean {
    let batchOpen = false;
    for (let index = 0; index < this.#queue.length; index++) {
      const { expect, owner: whose } = this.#queue.at(index);
      // A query behind messages without their Sync is ignored if one of those fails.
      const certain: boolean = expect === Expect.Sync || (endsWithReady(expect) && !batchOpen);
      if (certain && whose === owner) return true;
      batchOpen = !certain && (batchOpen || !isMark(expect));
    }
    return false;
  }
}
