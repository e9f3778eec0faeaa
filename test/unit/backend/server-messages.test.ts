import { expect, test } from 'vitest';
import { errorFacts, parameterStatus } from '../../../src/backend/server-messages.ts';
import * as say from '../../conversation/say.ts';

test.each([
  ['ERROR', false],
  ['FATAL', true],
  ['PANIC', true],
])('an error of severity %s', (severity, fatal) => {
  const message = say.error('57P01', 'zu viele Gäste', severity);
  expect(errorFacts(message, 5, message.length)).toEqual({
    sqlstate: '57P01',
    message: 'zu viele Gäste',
    fatal,
  });
});

test('the severity in the server’s own language does not count', () => {
  const message = Buffer.from('E\0\0\0\0SFEHLER\0VFATAL\0C57P01\0Mx\0\0');
  expect(errorFacts(message, 5, message.length).fatal).toBe(true);
});

test('an error that was cut short says what it can', () => {
  const message = say.error('22000', 'a long story');
  for (let end = 5; end < message.length; end++) {
    const { sqlstate, message: text } = errorFacts(message, 5, end);
    expect('22000'.startsWith(sqlstate)).toBe(true);
    expect('a long story'.startsWith(text)).toBe(true);
  }
});

test('a setting', () => {
  const message = say.parameterStatus('TimeZone', 'Asia/Seoul');
  expect(parameterStatus(message, 5, message.length)).toEqual(['TimeZone', 'Asia/Seoul']);
});
