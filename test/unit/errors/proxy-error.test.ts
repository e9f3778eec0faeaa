import { describe, expect, test } from 'vitest';
import { ProtocolViolation } from '../../../src/errors/protocol-violation.ts';
import { asProxyError, ProxyError, refuse } from '../../../src/errors/proxy-error.ts';

describe('refuse', () => {
  test('fills the blanks of the row and takes everything else from it', () => {
    const error = refuse('queue_timeout', { values: { service: 'orders', waited_ms: 3000 } });
    expect(error).toBeInstanceOf(ProxyError);
    expect(error.message).toBe('no server became free for service "orders" within 3000 ms');
    expect(error).toMatchObject({
      code: 'queue_timeout',
      sqlstate: '53300',
      severity: 'ERROR',
      fault: 'capacity',
      detail: null,
      policy: null,
      retryable: true,
    });
    expect(error.hint).toContain('Try again later');
  });

  test('detail, hint, policy and severity are the caller’s where given', () => {
    const error = refuse('queue_full', {
      values: { service: 'orders' },
      detail: '500 of 500 places are taken.',
      hint: 'Wait.',
      policy: 'peak',
      severity: 'FATAL',
    });
    expect(error).toMatchObject({
      detail: '500 of 500 places are taken.',
      hint: 'Wait.',
      policy: 'peak',
      severity: 'FATAL',
    });
  });

  test('retry_after_ms stands at the end of the detail, in whole milliseconds', () => {
    const values = { service: 'orders' };
    expect(refuse('queue_full', { values, retryAfterMs: 12.2 }).detail).toBe('retry_after_ms=13');
    expect(refuse('queue_full', { values, detail: 'Full.', retryAfterMs: 0 }).detail).toBe(
      'Full. retry_after_ms=0',
    );
  });

  test('an error that cannot be retried never promises a time', () => {
    expect(refuse('internal', { retryAfterMs: 5 }).detail).toBeNull();
  });

  test('a name from a client is cut and cannot break a line or end a string', () => {
    const hostile = `a\0b\nc{user}${'x'.repeat(1000)}`;
    const { message } = refuse('password_failed', { values: { user: hostile } });
    expect(message).toMatch(/^password authentication failed for user "a b c\{user\}x+"$/);
    expect(message.length).toBeLessThan(310);
  });
});

describe('asProxyError', () => {
  test('passes a refusal through', () => {
    const error = refuse('internal');
    expect(asProxyError(error)).toBe(error);
  });

  test('a protocol violation closes the connection with 08P01 and says what was wrong', () => {
    const error = asProxyError(new ProtocolViolation('message of length 3'));
    expect(error).toMatchObject({
      sqlstate: '08P01',
      severity: 'FATAL',
      message: 'message of length 3',
    });
  });

  test('a defect keeps its words to itself', () => {
    for (const thrown of [new TypeError('password is hunter2'), 'text', null]) {
      expect(asProxyError(thrown)).toMatchObject({ sqlstate: 'XX000', message: 'internal error' });
    }
  });
});
