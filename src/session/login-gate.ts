/**
 * Lets clients begin to log in a few at a time, in the order in which they came. Thousands that
 * come at once would otherwise do every step of their logins at once, and who is in already would
 * wait for all of them, step by step: with 2,000 logins, a third of a second at a time
 * (bench/login-storm.ts).
 *
 * A login that waits for its client is no burden, so nobody holds a place for long: who has not
 * finished after SLOW_MS goes on without one and the next begins. Clients that are far away, slow,
 * silent or hostile therefore delay the others by that much at most, and then share it.
 *
 * A connection that waits here has not been read. What it wants is not known: a cancel request
 * waits as well.
 */
import type { Clock, Timer } from '../util/clock.ts';
import { IntrusiveList, ListNode } from '../util/intrusive-list.ts';

/** Few enough for their steps to fall between two statements, many enough to keep a core busy. */
const PLACES = 16;
/** Longer than a login takes on a local network, several times over. */
const SLOW_MS = 50;

export class LoginTurn extends ListNode {
  readonly begin: () => void;
  beganMs = 0;

  constructor(begin: () => void) {
    super();
    this.begin = begin;
  }
}

export class LoginGate {
  readonly waiting = new IntrusiveList<LoginTurn>('waiting');
  readonly #inside = new IntrusiveList<LoginTurn>('inside');
  readonly #clock: Clock;
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True: it may begin at once. False: `begin` is called when it is its turn. */
  enter(turn: LoginTurn): boolean {
    if (this.#inside.length < PLACES && this.waiting.length === 0) {
      this.#admit(turn);
      return true;
    }
    this.waiting.push(turn);
    this.#timer ??= this.#clock.after(SLOW_MS, () => this.#passSlow());
    return false;
  }

  /** It is done, or gone. May be said more than once. */
  leave(turn: LoginTurn): void {
    if (turn.list === null) return;
    turn.list.remove(turn);
    this.#fill();
  }

  #admit(turn: LoginTurn): void {
    turn.beganMs = this.#clock.nowMs();
    this.#inside.push(turn);
  }

  #fill(): void {
    while (this.#inside.length < PLACES) {
      const next = this.waiting.first();
      if (next === null) break;
      this.waiting.remove(next);
      this.#admit(next);
      next.begin();
    }
  }

  #passSlow(): void {
    const beforeMs = this.#clock.nowMs() - SLOW_MS;
    for (let turn = this.#inside.first(); turn !== null; turn = this.#inside.first()) {
      if (turn.beganMs > beforeMs) break;
      this.#inside.remove(turn);
    }
    this.#fill();
    this.#timer =
      this.waiting.length === 0 ? null : this.#clock.after(SLOW_MS / 2, () => this.#passSlow());
  }
}
