import { expect, test } from 'vitest';
import { isMd5Stored, md5Answer, md5Fits, md5Password, md5Stored } from '../../../src/auth/md5.ts';

test('is what libpq sends', () => {
  // printf %s passworduser | md5sum, and that with the salt behind it once more.
  expect(md5Password('user', 'password', Buffer.from([1, 2, 3, 4]))).toBe(
    'md5a3576f1ae039b8996bc4fc2720f9c71a',
  );
});

test('hashes the bytes of a user name that is not UTF-8', () => {
  const salt = Buffer.from([1, 2, 3, 4]);
  // U+DCE4 and U+DCF6 are how wire/text.ts keeps the bytes E4 and F6.
  expect(md5Password('\udce4', 'x', salt)).not.toBe(md5Password('\udcf6', 'x', salt));
});

test('what is stored is what Postgres stores', () => {
  // printf %s passworduser | md5sum
  const stored = md5Stored('user', 'password');
  expect(stored).toBe('md54d45974e13472b5a0be3533de4666414');
  expect(isMd5Stored(stored)).toBe(true);
  expect(isMd5Stored('md5 is a password')).toBe(false);
  const salt = Buffer.from([1, 2, 3, 4]);
  expect(md5Answer(stored, salt)).toBe(md5Password('user', 'password', salt));
});

test('an answer fits one of several, and only with its own salt', () => {
  const stored = ['new', 'old'].map((password) => md5Stored('user', password));
  const salt = Buffer.from([1, 2, 3, 4]);
  for (const password of ['new', 'old']) {
    const answer = md5Password('user', password, salt);
    expect(md5Fits(answer, stored, salt)).toBe(true);
    // A replayed answer belongs to the salt of another attempt.
    expect(md5Fits(answer, stored, Buffer.from([4, 3, 2, 1]))).toBe(false);
    expect(md5Fits(`${answer}x`, stored, salt)).toBe(false);
    expect(md5Fits(answer.slice(0, -1), stored, salt)).toBe(false);
  }
  for (const wrong of [
    '',
    'md5',
    'x'.repeat(35),
    stored[0]!,
    '\u0000'.repeat(35),
    'ü'.repeat(35),
  ]) {
    expect(md5Fits(wrong, stored, salt)).toBe(false);
  }
});
