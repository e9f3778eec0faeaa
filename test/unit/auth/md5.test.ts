import { expect, test } from 'vitest';
import { md5Password } from '../../../src/auth/md5.ts';

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
