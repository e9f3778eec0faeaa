import { expect, test } from 'vitest';
import { LoginGate, LoginTurn } from '../../../src/session/login-gate.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PLACES = 16;
const SLOW_MS = 50;

class Storm {
  readonly clock = new FakeClock();
  readonly gate = new LoginGate(this.clock);
  readonly begun: number[] = [];
  readonly turns: LoginTurn[] = [];

  constructor(count: number) {
    for (let number = 0; number < count; number++) {
      const turn = new LoginTurn(() => this.begun.push(number));
      this.turns.push(turn);
      if (this.gate.enter(turn)) this.begun.push(number);
    }
  }

  leave(number: number): void {
    this.gate.leave(this.turns[number]!);
  }
}

test('a few begin at once, the others in order as places become free', () => {
  const storm = new Storm(PLACES + 3);
  expect(storm.begun.length).toBe(PLACES);
  storm.leave(5);
  expect(storm.begun.slice(PLACES)).toEqual([PLACES]);
  storm.leave(5);
  expect(storm.begun.length).toBe(PLACES + 1);
  storm.leave(PLACES + 1);
  storm.leave(6);
  expect(storm.begun.slice(PLACES)).toEqual([PLACES, PLACES + 2]);
  expect(storm.gate.waiting.length).toBe(0);
});

test('nobody who is slow holds the others up', () => {
  const storm = new Storm(3 * PLACES);
  storm.clock.advance(SLOW_MS - 1);
  expect(storm.begun.length).toBe(PLACES);
  storm.clock.advance(1);
  expect(storm.begun.length).toBe(2 * PLACES);
  storm.clock.advance(2 * SLOW_MS);
  expect(storm.begun.length).toBe(3 * PLACES);
  expect(storm.begun).toEqual(storm.begun.toSorted((a, b) => a - b));
  storm.clock.advance(SLOW_MS);
  expect(storm.clock.pending).toBe(0);
});
