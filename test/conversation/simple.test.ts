import { describe, expect, test } from 'vitest';
import { converse } from './converse.ts';
import * as say from './say.ts';

describe('a simple query', () => {
  test('is answered by a server and gives it back', () => {
    expect(
      converse((stage) => {
        const alice = stage.client('alice');
        alice.send(say.query('select 2'));
      }),
    ).toMatchInlineSnapshot(`
      "alice F 13 Query "select 2"
      server1 F 13 Query "select 2"
      server1 B 26 RowDescription 1 "a" NNNN 0 NNNN 65535 -1 0
      server1 B 15 DataRow 1 5 'row 0'
      server1 B 15 DataRow 1 5 'row 1'
      server1 B 13 CommandComplete "SELECT 2"
      server1 B 5 ReadyForQuery I
      alice B 26 RowDescription 1 "a" NNNN 0 NNNN 65535 -1 0
      alice B 15 DataRow 1 5 'row 0'
      alice B 15 DataRow 1 5 'row 1'
      alice B 13 CommandComplete "SELECT 2"
      alice B 5 ReadyForQuery I"
    `);
  });
});
