/**
 * The codec against another one: pg-protocol, which node-postgres has relied on for years, reads
 * what our encoders write, and our decoders read what its serializer writes.
 */
import { Parser } from 'pg-protocol/dist/parser';
import { serialize } from 'pg-protocol/dist/serializer';
import { describe, expect, test } from 'vitest';
import * as constants from '../../../src/wire/constants.ts';
import { decodeBind } from '../../../src/wire/messages/bind.ts';
import { decodeCopyData, decodeCopyFail } from '../../../src/wire/messages/copy.ts';
import { decodeClose, decodeDescribe } from '../../../src/wire/messages/describe-close.ts';
import { decodeExecute } from '../../../src/wire/messages/execute.ts';
import { decodeParse } from '../../../src/wire/messages/parse.ts';
import {
  decodePassword,
  decodeSASLInitialResponse,
  decodeSASLResponse,
} from '../../../src/wire/messages/password.ts';
import { decodeQuery } from '../../../src/wire/messages/query.ts';
import { decodeFirstPacket, FirstPacketKind } from '../../../src/wire/startup.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { conversations } from '../../support/conversations.ts';
import { fullError, samples } from '../../support/wire-samples.ts';

/** Any message of pg-protocol's, whose fields differ by name. */
type Read = Readonly<Record<string, unknown>>;

function readByPgProtocol(bytes: Buffer): readonly Read[] {
  const messages: Read[] = [];
  new Parser().parse(bytes, (message) => messages.push(message as unknown as Read));
  return messages;
}

/** Encodes the sample of that name and has pg-protocol read it. */
function readSample(name: string): Read {
  const sample = samples.find((candidate) => candidate.name === name);
  if (sample === undefined) throw new Error(`no sample is called ${name}`);
  const writer = new Writer();
  sample.encode(writer);
  const messages = readByPgProtocol(writer.take());
  expect(messages).toHaveLength(1);
  return messages[0] as Read;
}

describe('pg-protocol reads what we write', () => {
  test.each<[string, Read]>([
    ['Authentication 0', { name: 'authenticationOk' }],
    ['Authentication 3', { name: 'authenticationCleartextPassword' }],
    ['Authentication 5', { name: 'authenticationMD5Password', salt: Buffer.of(1, 2, 3, 4) }],
    [
      'Authentication 10',
      { name: 'authenticationSASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
    ],
    ['Authentication 11', { name: 'authenticationSASLContinue', data: 'r=xy,s=QQ==,i=4096' }],
    ['Authentication 12', { name: 'authenticationSASLFinal', data: 'v=abc' }],
    ['BackendKeyData with 4 bytes', { processID: 12_345, secretKey: 0xeeeeeeee | 0 }],
    ['ParameterStatus', { parameterName: 'TimeZone', parameterValue: '' }],
    ['ReadyForQuery', { status: 'E' }],
    ['DataRow of texts', { fields: ['ä', null, ''] }],
    ['CommandComplete', { text: 'INSERT 0 5' }],
    ['NotificationResponse', { processId: 7, channel: 'news', payload: '' }],
    ['ParameterDescription', { dataTypeIDs: [23, 4_294_967_295] }],
    ['CopyResponse G', { name: 'copyInResponse', binary: true, columnTypes: [1, 1] }],
    ['CopyResponse H', { name: 'copyOutResponse', binary: true, columnTypes: [1, 1] }],
    ['NoticeResponse', { name: 'notice', severity: 'WARNING', code: '01000' }],
  ])('%s', (name, expected) => {
    expect(readSample(name)).toMatchObject(expected);
  });

  test('RowDescription', () => {
    expect(readSample('RowDescription')['fields']).toMatchObject([
      {
        name: 'größe',
        tableID: 4_000_000_000,
        columnID: 3,
        dataTypeID: 1043,
        dataTypeSize: -1,
        dataTypeModifier: 24,
        format: 'binary',
      },
      { name: '', dataTypeID: 25, format: 'text' },
    ]);
  });

  test('ErrorResponse with every field', () => {
    const { severityCode, sqlstate, ...same } = fullError;
    const error = readSample('ErrorResponse');
    expect(severityCode).toBe('ERROR');
    expect({ ...error, message: error['message'] }).toMatchObject({ ...same, code: sqlstate });
  });

  test('messages without a body', () => {
    const messages = readByPgProtocol(
      Buffer.concat([
        constants.authenticationOk,
        constants.parseComplete,
        constants.bindComplete,
        constants.closeComplete,
        constants.noData,
        constants.emptyQueryResponse,
        constants.portalSuspended,
        constants.copyDone,
        constants.readyForQueryIdle,
        constants.readyForQueryTransaction,
      ]),
    );
    expect(messages.map((message) => message['name'])).toEqual([
      'authenticationOk',
      'parseComplete',
      'bindComplete',
      'closeComplete',
      'noData',
      'emptyQuery',
      'portalSuspended',
      'copyDone',
      'readyForQuery',
      'readyForQuery',
    ]);
  });
});

describe('we read what pg-protocol writes', () => {
  /** The body of a message of which there is only one in `bytes`. */
  function decoded<T>(bytes: Buffer, decode: (buffer: Buffer, start: number, end: number) => T): T {
    expect(bytes.readInt32BE(1)).toBe(bytes.length - 1);
    return decode(bytes, 5, bytes.length);
  }

  test('StartupMessage', () => {
    const bytes = serialize.startup({ user: 'älice', database: 'shop' });
    const packet = decodeFirstPacket(bytes, 0, bytes.length);
    expect([packet.kind, packet.major, packet.minor]).toEqual([FirstPacketKind.Startup, 3, 0]);
    expect([...packet.parameters]).toEqual([
      ['user', 'älice'],
      ['database', 'shop'],
      ['client_encoding', 'UTF8'],
    ]);
  });

  test('SSLRequest and CancelRequest', () => {
    const ssl = serialize.requestSsl();
    expect(decodeFirstPacket(ssl, 0, 8).kind).toBe(FirstPacketKind.SSLRequest);
    const bytes = serialize.cancel(77, -2);
    const cancel = decodeFirstPacket(bytes, 0, bytes.length);
    expect(cancel.kind).toBe(FirstPacketKind.CancelRequest);
    expect(cancel.processId).toBe(77);
    expect(cancel.key?.toString('hex')).toBe('fffffffe');
  });

  test('Query, Parse, Bind, Execute, Describe, Close', () => {
    expect(decoded(serialize.query('select 1'), decodeQuery)).toBe('select 1');
    const parse = serialize.parse({ name: 'n', text: 'select $1', types: [25] });
    expect(decoded(parse, decodeParse)).toEqual({
      name: 'n',
      text: 'select $1',
      parameterTypes: [25],
    });
    const bind = serialize.bind({
      portal: 'p',
      statement: 'n',
      values: ['x', null, Buffer.of(0, 1)],
      binary: true,
    });
    expect(decoded(bind, decodeBind)).toEqual({
      portal: 'p',
      statement: 'n',
      formats: [0, 0, 1],
      values: [Buffer.from('x'), null, Buffer.of(0, 1)],
      resultFormats: [1],
    });
    const execute = serialize.execute({ portal: 'p', rows: 100 });
    expect(decoded(execute, decodeExecute)).toEqual({ portal: 'p', rowsMax: 100 });
    const describeBytes = serialize.describe({ type: 'S', name: 'n' });
    expect(decoded(describeBytes, decodeDescribe)).toEqual({ kind: 0x53, name: 'n' });
    expect(decoded(serialize.close({ type: 'P' }), decodeClose)).toEqual({ kind: 0x50, name: '' });
  });

  test('passwords and SASL', () => {
    expect(decoded(serialize.password('secret'), decodePassword)).toBe('secret');
    const initial = serialize.sendSASLInitialResponseMessage('SCRAM-SHA-256', 'n,,n=*,r=x');
    expect(decoded(initial, decodeSASLInitialResponse)).toEqual({
      mechanism: 'SCRAM-SHA-256',
      data: Buffer.from('n,,n=*,r=x'),
    });
    const final = serialize.sendSCRAMClientFinalMessage('c=biws,p=y');
    expect(decoded(final, decodeSASLResponse).toString()).toBe('c=biws,p=y');
  });

  test('COPY, and messages without a body', () => {
    const data = serialize.copyData(Buffer.from('1\t2\n'));
    expect(decoded(data, decodeCopyData).toString()).toBe('1\t2\n');
    expect(decoded(serialize.copyFail('no'), decodeCopyFail)).toBe('no');
    expect(serialize.copyDone()).toEqual(constants.copyDone);
    expect(serialize.sync()).toEqual(constants.sync);
    expect(serialize.flush()).toEqual(constants.flush);
    expect(serialize.end()).toEqual(constants.terminate);
  });
});

test('every recorded server is read alike: as many messages, and the same texts', () => {
  const { RowDescription, CommandComplete } = { RowDescription: 0x54, CommandComplete: 0x43 };
  for (const conversation of conversations) {
    if (conversation.firstPackets.some((packet) => packet[5] === 2)) continue;
    if (conversation.backend.includes('START_REPLICATION')) continue;
    // pg-protocol does not know FunctionCallResponse and NegotiateProtocolVersion.
    const known = withoutUnknown(conversation.backend);
    const theirs = readByPgProtocol(Buffer.concat(known));
    expect(theirs, conversation.name).toHaveLength(known.length);
    for (const [i, message] of known.entries()) {
      if (message[0] === CommandComplete) {
        expect(theirs[i]?.['text']).toBe(message.toString('utf8', 5, message.length - 1));
      }
      if (message[0] === RowDescription) {
        expect(theirs[i]?.['fieldCount']).toBe(message.readUInt16BE(5));
      }
    }
  }
});

function withoutUnknown(stream: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + stream.readInt32BE(at + 1);
    if (stream[at] !== 0x56 && stream[at] !== 0x76) messages.push(stream.subarray(at, end));
    at = end;
  }
  return messages;
}
