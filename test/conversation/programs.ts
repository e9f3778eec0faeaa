/** Programs for clients, made up at random: what drivers send, and what nobody should. */
import { copyDone, flush, sync } from '../../src/wire/constants.ts';
import type { Random } from '../support/random.ts';
import * as say from './say.ts';

export interface Step {
  /** Which client sends. */
  readonly client: number;
  readonly messages: readonly Buffer[];
}

const DEALLOCATE = 'deallocate s1';

/** DEALLOCATE of a name by a simple query in the middle of a batch is a known difference. */
export function isFair(steps: readonly Step[]): boolean {
  const messages = steps.flatMap((step) => step.messages);
  return messages.every((message, index) => {
    if (!message.equals(say.query(DEALLOCATE))) return true;
    return messages[index - 1]?.equals(sync) === true;
  });
}

const NAMES = ['', 's1', 's2'];
const PORTALS = ['', '', 'p'];

/** What brings a client to rest, whatever it has done before. */
export const ending: readonly Buffer[] = [sync, say.query('rollback'), say.query('select 1')];

export class ProgramMaker {
  readonly #random: Random;
  #work = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  make(clients: number, length: number): Step[] {
    const steps: Step[] = [];
    for (let step = 0; step < length; step++) {
      steps.push({ client: this.#random.below(clients), messages: this.#step() });
    }
    return steps;
  }

  #step(): Buffer[] {
    switch (this.#random.below(10)) {
      case 0:
      case 1:
      case 2:
        return this.#query();
      case 3:
        return [say.query(`${this.#text()}; ${this.#text()}`.replaceAll('deallocate s1', 'fail'))];
      case 4:
        return [say.query('copy t from stdin'), ...this.#copyEnd()];
      case 5:
        return [...this.#query(), ...this.#query()];
      case 6:
        return this.#wellFormed();
      default:
        return this.#batch();
    }
  }

  #query(): Buffer[] {
    const text = this.#text();
    return text === DEALLOCATE ? [sync, say.query(text)] : [say.query(text)];
  }

  /** One statement as a driver runs it. */
  #wellFormed(): Buffer[] {
    const name = this.#pick(NAMES);
    const messages = name === '' ? [] : [say.close('S', name)];
    messages.push(say.parse(name, this.#text()), say.bind('', name), say.describe('P', ''));
    return [...messages, say.execute(''), sync];
  }

  #batch(): Buffer[] {
    const messages: Buffer[] = [];
    for (let left = 1 + this.#random.below(8); left > 0; left--) messages.push(this.#message());
    if (this.#random.below(4) > 0) messages.push(sync);
    return messages;
  }

  #message(): Buffer {
    const name = this.#pick(NAMES);
    const portal = this.#pick(PORTALS);
    switch (this.#random.below(12)) {
      case 0:
      case 1:
      case 2:
        return say.parse(name, this.#text());
      case 3:
      case 4:
      case 5:
        return say.bind(portal, name);
      case 6:
      case 7:
      case 8:
        return say.execute(portal, this.#random.below(3));
      case 9:
        return this.#random.below(2) === 0 ? say.describe('S', name) : say.describe('P', portal);
      case 10:
        return this.#random.below(3) === 0 ? say.close('S', name) : say.close('P', portal);
      default:
        return this.#random.below(2) === 0 ? flush : sync;
    }
  }

  #copyEnd(): Buffer[] {
    switch (this.#random.below(4)) {
      case 0:
        return [say.copyData('bad'), say.copyData('x'), copyDone];
      case 1:
        return [say.copyData(`row ${this.#work++}`), say.copyFail('no more')];
      default:
        return [say.copyData(`row ${this.#work++}`), copyDone];
    }
  }

  #text(): string {
    const number = this.#work++;
    return this.#pick([
      'begin',
      'begin',
      'start transaction',
      'commit',
      'rollback',
      'select 3',
      'select 1',
      'select 2',
      '',
      `insert ${number}`,
      `insert ${number}`,
      `deferred ${number}`,
      'fail',
      'syntax',
      'notice',
      'copy t to stdout',
      `set application_name to 'app${number % 3}'`,
      `set timezone to 'Zone${number % 3}'`,
      DEALLOCATE,
      'deallocate all',
      'discard all',
    ]);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)] as T;
  }
}
