import { expect, test } from 'vitest';
import { SingleFlight } from '../../../src/util/single-flight.ts';

test('those who ask at the same time share one piece of work, per key', async () => {
  const flights = new SingleFlight<string>();
  const gate = Promise.withResolvers<string>();
  let started = 0;
  const work = () => {
    started++;
    return gate.promise;
  };
  const answers = [flights.run('a', work), flights.run('a', work), flights.run('b', work)];
  expect([started, flights.size]).toEqual([2, 2]);
  gate.resolve('done');
  expect(await Promise.all(answers)).toEqual(['done', 'done', 'done']);
  expect(flights.size).toBe(0);
});

test('a failure reaches everybody who waited, and the next one starts anew', async () => {
  const flights = new SingleFlight<string>();
  const fail = () => Promise.reject(new Error('no'));
  const answers = await Promise.allSettled([flights.run('a', fail), flights.run('a', fail)]);
  expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);
  expect(await flights.run('a', async () => 'again')).toBe('again');
});
