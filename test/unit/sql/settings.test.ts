import { describe, expect, test } from 'vitest';
import { FOLLOWED_SETTINGS, isLexableEncoding } from '../../../src/sql/settings.ts';

describe('encodings', () => {
  test.each([
    'UTF8',
    'utf-8',
    'UNICODE',
    'SQL_ASCII',
    'LATIN1',
    'LATIN10',
    'ISO_8859_5',
    'WIN1252',
    'windows-1251',
    'KOI8R',
    'KOI8U',
    'EUC_JP',
    'EUC_CN',
    'EUC_KR',
    'EUC_TW',
    'EUC_JIS_2004',
    'MULE_INTERNAL',
  ])('%s can be lexed', (encoding) => {
    expect(isLexableEncoding(encoding)).toBe(true);
  });

  test.each([
    'SJIS',
    'Shift_JIS',
    'SHIFT_JIS_2004',
    'BIG5',
    'GBK',
    'UHC',
    'GB18030',
    'JOHAB',
    'WIN932',
    'windows-936',
    'WIN949',
    'WIN950',
    'mskanji',
    '',
    'utf8x',
    'some_new_encoding',
  ])('%s cannot', (encoding) => {
    expect(isLexableEncoding(encoding)).toBe(false);
  });
});

test('names of followed settings are in lower case, as they are compared', () => {
  for (const name of FOLLOWED_SETTINGS) expect(name).toBe(name.toLowerCase());
});
