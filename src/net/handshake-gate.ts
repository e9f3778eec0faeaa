/**
 * Lets TLS handshakes begin one per turn of the event loop, in the order in which they asked.
 *
 * A handshake costs a millisecond or more of this thread, most of it when the client's first bytes
 * are answered (a signature). A thousand clients that come at once would stop everybody else for
 * seconds; through the gate, established clients are served between any two handshakes, and wait
 * for one of them at most. A lone client passes at once.
 *
 * Rejected: a limit on handshakes in progress. One client that is far away or stalls holds its
 * place for as long as it likes, and it is not unfinished handshakes that cost, but their first
 * step.
 */
import { IntrusiveList, ListNode } from '../util/intrusive-list.ts';

export class HandshakeTurn extends ListNode {
  readonly begin: () => void;

  constructor(begin: () => void) {
    super();
    this.begin = begin;
  }
}

export class HandshakeGate {
  readonly waiting = new IntrusiveList<HandshakeTurn>('handshakes');
  /** The most that have waited at one time. */
  waitingMax = 0;
  #running = false;

  /** Calls `turn.begin` when it is its turn: now, if nobody else had one in this turn. */
  enter(turn: HandshakeTurn): void {
    if (!this.#running) {
      this.#running = true;
      setImmediate(this.#next);
      turn.begin();
      return;
    }
    this.waiting.push(turn);
    this.waitingMax = Math.max(this.waitingMax, this.waiting.length);
  }

  /** Who has gone need not be answered. */
  leave(turn: HandshakeTurn): void {
    if (turn.list !== null) this.waiting.remove(turn);
  }

  readonly #next = (): void => {
    const turn = this.waiting.first();
    if (turn === null) {
      this.#running = false;
      return;
    }
    this.waiting.remove(turn);
    setImmediate(this.#next);
    turn.begin();
  };
}
