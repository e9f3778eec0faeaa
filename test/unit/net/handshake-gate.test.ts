import { expect, test } from 'vitest';
import { HandshakeGate, HandshakeTurn } from '../../../src/net/handshake-gate.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the first passes at once, the others one per turn and in order', async () => {
  const gate = new HandshakeGate();
  const begun: number[] = [];
  const turns = [1, 2, 3, 4].map((number) => new HandshakeTurn(() => begun.push(number)));
  for (const turn of turns) gate.enter(turn);
  expect(begun).toEqual([1]);
  expect(gate.waiting.length).toBe(3);
  await nextTurn();
  expect(begun).toEqual([1, 2]);
  gate.leave(turns[2] as HandshakeTurn);
  gate.leave(turns[0] as HandshakeTurn);
  await nextTurn();
  expect(begun).toEqual([1, 2, 4]);
  await nextTurn();
  await nextTurn();
  gate.enter(new HandshakeTurn(() => begun.push(5)));
  expect(begun).toEqual([1, 2, 4, 5]);
  expect(gate.waitingMax).toBe(3);
});
