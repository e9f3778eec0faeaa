import { describe, expect, test } from 'vitest';
import { chooseAccount } from '../../../src/demo/account.ts';

const LINUX = [
  'root:x:0:0:root:/root:/bin/bash',
  'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
  'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
];

describe('the account Postgres runs as under root', () => {
  test('is postgres where there is one', () => {
    const passwd = [...LINUX, 'postgres:x:101:104::/var/lib/postgresql:/bin/bash', ''].join('\n');
    expect(chooseAccount(passwd)).toEqual({ uid: 101, gid: 104 });
  });

  test('is otherwise nobody', () => {
    expect(chooseAccount(LINUX.join('\n'))).toEqual({ uid: 65534, gid: 65534 });
  });

  test('passes over an account with root’s id and one with a negative id', () => {
    const passwd = 'postgres:x:0:0::/:\nnobody:*:-2:-2::/var/empty:\ndaemon:*:1:1::/var/root:\n';
    expect(chooseAccount(passwd)).toEqual({ uid: 1, gid: 1 });
  });

  test('is nobody’s when the machine has none of them', () => {
    expect(chooseAccount('root:x:0:0:root:/root:/bin/sh\n\nmalformed\n')).toBeNull();
  });
});
