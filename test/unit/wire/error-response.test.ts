import { describe, expect, test } from 'vitest';
import { refuse } from '../../../src/errors/proxy-error.ts';
import {
  decodeErrorResponse,
  encodeErrorResponse,
  encodeLegacyError,
  encodeProxyError,
  errorFields,
  peekSqlstate,
} from '../../../src/wire/error-response.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { recording } from '../../support/conversations.ts';
import { fullError } from '../../support/wire-samples.ts';

function encoded(encode: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  encode(writer);
  return writer.take();
}

describe('ErrorResponse', () => {
  test('a server without the untranslated severity has the translated one in its place', () => {
    const bytes = Buffer.from('SFEHLER\0C42P01\0Mweg\0\0');
    expect(decodeErrorResponse(bytes, 0, bytes.length)).toEqual({
      ...errorFields('FEHLER', '42P01', 'weg'),
    });
  });

  test('fields of a later protocol are skipped', () => {
    const bytes = Buffer.from('SERROR\0VERROR\0?new\0C42P01\0Mgone\0\0');
    expect(decodeErrorResponse(bytes, 0, bytes.length).message).toBe('gone');
  });

  test('what a real server said comes out as the same bytes again', () => {
    const { backend } = recording('no user');
    const fields = decodeErrorResponse(backend, 5, backend.length);
    expect([fields.severityCode, fields.sqlstate]).toEqual(['FATAL', '28000']);
    expect(encoded((writer) => encodeErrorResponse(writer, fields))).toEqual(backend);
  });

  test('the SQLSTATE can be had from the head alone', () => {
    const bytes = encoded((writer) => encodeErrorResponse(writer, fullError));
    expect(peekSqlstate(bytes, 5, bytes.length)).toBe('23505');
    expect(peekSqlstate(bytes, 5, 30)).toBe('23505');
    expect(peekSqlstate(bytes, 5, 20)).toBe('');
    expect(peekSqlstate(bytes, 5, 5)).toBe('');
  });
});

describe('an error of our own', () => {
  test('has its policy as constraint name', () => {
    const error = refuse('client_limit', {
      values: { service: 'shop' },
      detail: '10 of 10',
      policy: 'p',
    });
    const bytes = encoded((writer) => encodeProxyError(writer, error));
    expect(decodeErrorResponse(bytes, 5, bytes.length)).toEqual({
      ...errorFields('FATAL', '53300', error.message),
      detail: error.detail,
      hint: error.hint,
      constraint: 'p',
    });
  });

  test('for a client of protocol 2 is what a server says to it', () => {
    const { backend } = recording('protocol 2');
    const error = refuse('internal');
    const bytes = encoded((writer) => encodeLegacyError(writer, error)).toString();
    expect(bytes).toBe(`E${error.severity}:  ${error.message}\n\0`);
    expect(backend.toString()).toMatch(/^EFATAL: {2}unsupported frontend protocol 2\.0.*\n\0$/);
  });
});
