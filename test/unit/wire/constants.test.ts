import { expect, test } from 'vitest';
import { Backend, codeName, Frontend, isKnownCode } from '../../../src/wire/codes.ts';
import * as constants from '../../../src/wire/constants.ts';

test.each<[string, Buffer, string]>([
  ['sync', constants.sync, '5300000004'],
  ['flush', constants.flush, '4800000004'],
  ['terminate', constants.terminate, '5800000004'],
  ['copyDone', constants.copyDone, '6300000004'],
  ['parseComplete', constants.parseComplete, '3100000004'],
  ['bindComplete', constants.bindComplete, '3200000004'],
  ['closeComplete', constants.closeComplete, '3300000004'],
  ['noData', constants.noData, '6e00000004'],
  ['emptyQueryResponse', constants.emptyQueryResponse, '4900000004'],
  ['portalSuspended', constants.portalSuspended, '7300000004'],
  ['authenticationOk', constants.authenticationOk, '520000000800000000'],
  ['readyForQueryIdle', constants.readyForQueryIdle, '5a0000000549'],
  ['readyForQueryTransaction', constants.readyForQueryTransaction, '5a0000000554'],
  ['readyForQueryFailed', constants.readyForQueryFailed, '5a0000000545'],
  ['sslYes', constants.sslYes, '53'],
  ['sslNo', constants.sslNo, '4e'],
])('%s has the bytes of the protocol', (_, constant, hex) => {
  expect(constant.toString('hex')).toBe(hex);
});

test('ReadyForQuery by status', () => {
  expect(constants.readyForQuery(0x49)).toBe(constants.readyForQueryIdle);
  expect(constants.readyForQuery(0x54)).toBe(constants.readyForQueryTransaction);
  expect(constants.readyForQuery(0x45)).toBe(constants.readyForQueryFailed);
});

test('a code has a name by its direction', () => {
  expect(codeName('F', Frontend.Describe)).toBe('Describe');
  expect(codeName('B', Backend.DataRow)).toBe('DataRow');
  expect(codeName('B', 0x07)).toBe('Unknown(0x07)');
  expect(isKnownCode('F', Backend.RowDescription)).toBe(false);
  expect(isKnownCode('B', Backend.RowDescription)).toBe(true);
});

test('no two messages of one direction share a code', () => {
  for (const codes of [Frontend, Backend]) {
    const values = Object.values(codes);
    expect(new Set(values).size).toBe(values.length);
  }
});
