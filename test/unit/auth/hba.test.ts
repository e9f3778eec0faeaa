import { describe, expect, test } from 'vitest';
import { Hba, type HbaQuestion } from '../../../src/auth/hba.ts';
import { parseHbaFile } from '../../../src/config/hba-file.ts';

const question: HbaQuestion = {
  user: 'orders',
  database: 'shop',
  address: '10.1.2.3',
  encrypted: false,
};

/** Which method decides; null when no entry fits. */
function decide(text: string, more: Partial<HbaQuestion> = {}): string | null {
  const { rules, problems } = parseHbaFile(text);
  expect(problems).toEqual([]);
  return new Hba(rules).find({ ...question, ...more })?.method ?? null;
}

test('the first entry that fits', () => {
  const text = 'host shop orders 10.0.0.0/8 reject\nhost all all all trust';
  expect(decide(text)).toBe('reject');
  expect(decide(text, { user: 'reporter' })).toBe('trust');
  expect(decide('host all all 11.0.0.0/8 trust')).toBe(null);
});

test.each([
  ['host', false, true],
  ['host', true, true],
  ['hostssl', false, false],
  ['hostssl', true, true],
  ['hostnossl', false, true],
  ['hostnossl', true, false],
  ['local', false, false],
])('%s, encrypted %s', (type, encrypted, fits) => {
  const address = type === 'local' ? '' : 'all';
  expect(decide(`${type} all all ${address} md5`, { encrypted })).toBe(fits ? 'md5' : null);
});

describe('names', () => {
  test.each([
    ['all', 'all', true],
    ['shop,billing', 'reporter,orders', true],
    ['billing , shop', 'reporter,  orders', true],
    ['billing', 'all', false],
    ['sameuser', 'all', false],
    ['all', '"all"', false],
    ['"all"', 'all', false],
    ['replication', 'all', false],
    ['"shop"', '"orders"', true],
    ['Shop', 'all', false],
  ])('databases %s, users %s', (databases, users, fits) => {
    expect(decide(`host ${databases} ${users} all trust`)).toBe(fits ? 'trust' : null);
  });

  test('sameuser is the user by the name of the database', () => {
    expect(decide('host sameuser all all trust', { user: 'shop' })).toBe('trust');
    expect(decide('host "sameuser" all all trust', { user: 'shop' })).toBe(null);
  });

  test('quotes keep spaces, commas and quotes', () => {
    const user = 'a "b", c';
    expect(decide('host all "a ""b"", c" all trust', { user })).toBe('trust');
  });
});

describe('addresses', () => {
  test.each([
    ['10.1.0.0/16', '10.1.2.3', true],
    ['10.1.0.0/16', '::ffff:10.1.2.3', true],
    ['10.1.0.0 255.255.0.0', '10.1.2.3', true],
    ['10.1.0.0 255.255.255.0', '10.1.2.3', false],
    ['fd00:: ffff::', 'fd00::1', true],
    ['fd00::/8', 'fe00::1', false],
    ['0.0.0.0/0', '10.1.2.3', true],
    ['0.0.0.0/0', 'fd00::1', false],
    ['all', 'fd00::1', true],
    ['samehost', '127.0.0.1', true],
    ['samenet', '127.9.9.9', true],
    ['samehost', '203.0.113.9', false],
  ])('%s and %s', (address, from, fits) => {
    expect(decide(`host all all ${address} trust`, { address: from })).toBe(fits ? 'trust' : null);
  });
});

describe('what cannot be kept is a problem, with its line', () => {
  test.each([
    ['host all +group all trust', '"+group" is not available in this version'],
    ['host samerole all all trust', '"samerole" is not available'],
    ['host all @names all trust', 'names from a file is not available'],
    ['host all /^o.*$ all trust', 'a pattern is not available'],
    ['host all all db.example.com trust', 'host names are not looked up here'],
    ['host all all 10.1.2.3 trust', '"10.1.2.3" needs a mask'],
    ['host all all 10.1.2.3/33 trust', 'is not a network'],
    ['host all all 10.0.0.0 255.0.255.0 trust', 'has holes'],
    ['host all all 10.0.0.0 ffff:: trust', "is not of the address's family"],
    ['host all all all peer', 'the method "peer" is not available'],
    ['host all all all password', 'the method "password" is not available'],
    ['host all all all scram', '"scram" is no method'],
    ['host all all all cert map=x', 'the option "map=x" is not available'],
    ['host all all all', 'the method is missing'],
    ['host all all', 'an entry has type'],
    ['hostgssenc all all all trust', '"hostgssenc" is not available'],
    ['guest all all all trust', '"guest" is no type'],
    ['include other.conf', '"include" is not available'],
    ['host all "orders all trust', 'a quoted name has no end'],
    ['host all all all md5,trust', 'the method cannot be a list'],
    [', host', 'begins with a comma'],
  ])('%s', (line, message) => {
    const { rules, problems } = parseHbaFile(`# comment\n\n${line}\nhost all all all md5 # fine`);
    expect(problems.map((problem) => problem.line)).toEqual([3]);
    expect(problems[0]!.message).toContain(message);
    expect(rules.length).toBe(1);
  });
});

test('a line may go on in the next', () => {
  const { rules } = parseHbaFile('host all \\\n all all \\\n md5\nhost all all all trust');
  expect(rules.map(({ line, method }) => [line, method])).toEqual([
    [1, 'md5'],
    [4, 'trust'],
  ]);
});
