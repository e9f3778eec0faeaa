/**
 * One or more samples of every message that has a body: the value, the encoder that writes it and
 * the decoder that must read the same value back. What is proved for all messages alike (round
 * trips, truncation, leftovers, the trace) is proved over this list.
 */
import { Backend, type Direction, Frontend } from '../../src/wire/codes.ts';
import { readyForQueryFailed } from '../../src/wire/constants.ts';
import * as errors from '../../src/wire/error-response.ts';
import * as authentication from '../../src/wire/messages/authentication.ts';
import * as keyData from '../../src/wire/messages/backend-key-data.ts';
import * as bind from '../../src/wire/messages/bind.ts';
import * as commandComplete from '../../src/wire/messages/command-complete.ts';
import * as copy from '../../src/wire/messages/copy.ts';
import * as dataRow from '../../src/wire/messages/data-row.ts';
import * as describeClose from '../../src/wire/messages/describe-close.ts';
import * as execute from '../../src/wire/messages/execute.ts';
import * as functionCall from '../../src/wire/messages/function-call.ts';
import * as negotiate from '../../src/wire/messages/negotiate-protocol-version.ts';
import * as notification from '../../src/wire/messages/notification-response.ts';
import * as parameterDescription from '../../src/wire/messages/parameter-description.ts';
import * as parameterStatus from '../../src/wire/messages/parameter-status.ts';
import * as parse from '../../src/wire/messages/parse.ts';
import * as password from '../../src/wire/messages/password.ts';
import * as query from '../../src/wire/messages/query.ts';
import * as readyForQuery from '../../src/wire/messages/ready-for-query.ts';
import * as rowDescription from '../../src/wire/messages/row-description.ts';
import type { Writer } from '../../src/wire/writer.ts';

export interface Sample {
  readonly name: string;
  readonly direction: Direction;
  readonly code: number;
  readonly value: unknown;
  readonly encode: (writer: Writer) => void;
  readonly decode: (buffer: Buffer, start: number, end: number) => unknown;
  /** From how many body bytes on any number is valid: the body ends in data of free length. */
  readonly openFrom: number | null;
}

const { ObjectKind } = describeClose;
const { AuthenticationKind } = authentication;

function sample<T>(
  name: string,
  direction: Direction,
  code: number,
  value: T,
  encode: (writer: Writer, value: T) => void,
  decode: (buffer: Buffer, start: number, end: number) => T,
  openFrom: number | null = null,
): Sample {
  return {
    name,
    direction,
    code,
    value,
    encode: (writer) => encode(writer, value),
    decode,
    openFrom,
  };
}

function authenticationSample(
  kind: authentication.AuthenticationKind,
  parts: Partial<authentication.Authentication>,
  encode: (writer: Writer) => void,
  openFrom: number | null = null,
): Sample {
  const value = { kind, salt: null, mechanisms: [], data: null, ...parts };
  const decode = authentication.decodeAuthentication;
  return sample(
    `Authentication ${kind}`,
    'B',
    Backend.Authentication,
    value,
    encode,
    decode,
    openFrom,
  );
}

const frontendSamples: readonly Sample[] = [
  sample('Query', 'F', Frontend.Query, 'select 1; -- ü', query.encodeQuery, query.decodeQuery),
  sample(
    'Parse',
    'F',
    Frontend.Parse,
    { name: 'näme', text: 'select $1, $2', parameterTypes: [23, 4_294_967_295] },
    (writer, value) => parse.encodeParse(writer, value.name, value.text, value.parameterTypes),
    parse.decodeParse,
  ),
  sample(
    'Bind',
    'F',
    Frontend.Bind,
    {
      portal: 'p',
      statement: 's',
      formats: [0, 1, 1],
      values: [Buffer.from('text'), null, Buffer.alloc(0)],
      resultFormats: [1],
    },
    bind.encodeBind,
    bind.decodeBind,
  ),
  sample(
    'Execute',
    'F',
    Frontend.Execute,
    { portal: 'p', rowsMax: 2_147_483_647 },
    (writer, value) => execute.encodeExecute(writer, value.portal, value.rowsMax),
    execute.decodeExecute,
  ),
  sample(
    'Describe',
    'F',
    Frontend.Describe,
    { kind: ObjectKind.Statement, name: 's' },
    (writer, value) => describeClose.encodeDescribe(writer, value.kind, value.name),
    describeClose.decodeDescribe,
  ),
  sample(
    'Close',
    'F',
    Frontend.Close,
    { kind: ObjectKind.Portal, name: '' },
    (writer, value) => describeClose.encodeClose(writer, value.kind, value.name),
    describeClose.decodeClose,
  ),
  sample(
    'CopyData',
    'F',
    Frontend.CopyData,
    Buffer.from('1\tone\n'),
    copy.encodeCopyData,
    copy.decodeCopyData,
    0,
  ),
  sample('CopyFail', 'F', Frontend.CopyFail, 'no', copy.encodeCopyFail, copy.decodeCopyFail),
  sample(
    'FunctionCall',
    'F',
    Frontend.FunctionCall,
    { functionId: 177, formats: [1], values: [Buffer.from([0, 1]), null], resultFormat: 1 },
    functionCall.encodeFunctionCall,
    functionCall.decodeFunctionCall,
  ),
  sample(
    'PasswordMessage',
    'F',
    Frontend.Password,
    'pässword',
    password.encodePassword,
    password.decodePassword,
  ),
  sample(
    'SASLInitialResponse',
    'F',
    Frontend.Password,
    { mechanism: 'SCRAM-SHA-256', data: Buffer.from('n,,n=,r=x') },
    (writer, value) => password.encodeSASLInitialResponse(writer, value.mechanism, value.data),
    password.decodeSASLInitialResponse,
  ),
  sample(
    'SASLInitialResponse without data',
    'F',
    Frontend.Password,
    { mechanism: 'OAUTHBEARER', data: null },
    (writer, value) => password.encodeSASLInitialResponse(writer, value.mechanism, value.data),
    password.decodeSASLInitialResponse,
  ),
  sample(
    'SASLResponse',
    'F',
    Frontend.Password,
    Buffer.from('c=biws'),
    password.encodeSASLResponse,
    password.decodeSASLResponse,
    0,
  ),
];

const authenticationSamples: readonly Sample[] = [
  authenticationSample(AuthenticationKind.Ok, {}, (writer) =>
    authentication.encodeAuthentication(writer, AuthenticationKind.Ok),
  ),
  authenticationSample(AuthenticationKind.CleartextPassword, {}, (writer) =>
    authentication.encodeAuthentication(writer, AuthenticationKind.CleartextPassword),
  ),
  authenticationSample(AuthenticationKind.SSPI, {}, (writer) =>
    authentication.encodeAuthentication(writer, AuthenticationKind.SSPI),
  ),
  authenticationSample(
    AuthenticationKind.MD5Password,
    { salt: Buffer.from([1, 2, 3, 4]) },
    (writer) => authentication.encodeAuthenticationMD5Password(writer, Buffer.from([1, 2, 3, 4])),
  ),
  authenticationSample(
    AuthenticationKind.SASL,
    { mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
    (writer) =>
      authentication.encodeAuthenticationSASL(writer, ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']),
  ),
  authenticationSample(
    AuthenticationKind.SASLContinue,
    { data: Buffer.from('r=xy,s=QQ==,i=4096') },
    (writer) =>
      authentication.encodeAuthenticationSASLContinue(writer, Buffer.from('r=xy,s=QQ==,i=4096')),
    4,
  ),
  authenticationSample(
    AuthenticationKind.SASLFinal,
    { data: Buffer.from('v=abc') },
    (writer) => authentication.encodeAuthenticationSASLFinal(writer, Buffer.from('v=abc')),
    4,
  ),
];

const column: rowDescription.Column = {
  name: 'größe',
  tableId: 4_000_000_000,
  columnNumber: 3,
  typeId: 1043,
  typeBytes: -1,
  typeModifier: 24,
  format: 1,
};

export const fullError: errors.ErrorFields = {
  severity: 'FEHLER',
  severityCode: 'ERROR',
  sqlstate: '23505',
  message: 'duplicate key',
  detail: 'Key (id)=(1) already exists.',
  hint: 'Use another.',
  position: '8',
  internalPosition: '9',
  internalQuery: 'select 1',
  where: 'PL/pgSQL function f() line 1\nline 2',
  schema: 'public',
  table: 't',
  column: 'id',
  dataType: 'int4',
  constraint: 't_pkey',
  file: 'nbtinsert.c',
  line: '666',
  routine: '_bt_check_unique',
};

const backendSamples: readonly Sample[] = [
  ...[4, 32, 256].map((bytes) =>
    sample(
      `BackendKeyData with ${bytes} bytes`,
      'B',
      Backend.BackendKeyData,
      { processId: 12_345, key: Buffer.alloc(bytes, 0xee) },
      (writer, value) => keyData.encodeBackendKeyData(writer, value.processId, value.key),
      keyData.decodeBackendKeyData,
      8,
    ),
  ),
  sample(
    'ParameterStatus',
    'B',
    Backend.ParameterStatus,
    { name: 'TimeZone', value: '' },
    (writer, value) => parameterStatus.encodeParameterStatus(writer, value.name, value.value),
    parameterStatus.decodeParameterStatus,
  ),
  sample(
    'ReadyForQuery',
    'B',
    Backend.ReadyForQuery,
    0x45,
    (writer) => writer.bytes(readyForQueryFailed),
    readyForQuery.decodeReadyForQuery,
  ),
  sample(
    'RowDescription',
    'B',
    Backend.RowDescription,
    [column, rowDescription.textColumn('')],
    rowDescription.encodeRowDescription,
    rowDescription.decodeRowDescription,
  ),
  sample(
    'DataRow',
    'B',
    Backend.DataRow,
    [Buffer.from('a'), null, Buffer.alloc(0)],
    dataRow.encodeDataRow,
    dataRow.decodeDataRow,
  ),
  sample(
    'DataRow of texts',
    'B',
    Backend.DataRow,
    ['ä', null, ''],
    dataRow.encodeDataRowTexts,
    dataRow.decodeDataRowTexts,
  ),
  sample(
    'CommandComplete',
    'B',
    Backend.CommandComplete,
    'INSERT 0 5',
    commandComplete.encodeCommandComplete,
    commandComplete.decodeCommandComplete,
  ),
  sample(
    'ErrorResponse',
    'B',
    Backend.ErrorResponse,
    fullError,
    errors.encodeErrorResponse,
    errors.decodeErrorResponse,
  ),
  sample(
    'NoticeResponse',
    'B',
    Backend.NoticeResponse,
    errors.errorFields('WARNING', '01000', 'careful'),
    errors.encodeNoticeResponse,
    errors.decodeNoticeResponse,
  ),
  sample(
    'NotificationResponse',
    'B',
    Backend.NotificationResponse,
    { processId: 7, channel: 'news', payload: '' },
    notification.encodeNotification,
    notification.decodeNotification,
  ),
  sample(
    'ParameterDescription',
    'B',
    Backend.ParameterDescription,
    [23, 4_294_967_295],
    parameterDescription.encodeParameterDescription,
    parameterDescription.decodeParameterDescription,
  ),
  ...([Backend.CopyInResponse, Backend.CopyOutResponse, Backend.CopyBothResponse] as const).map(
    (code) =>
      sample(
        `CopyResponse ${String.fromCharCode(code)}`,
        'B',
        code,
        { format: 1, columnFormats: [1, 1] },
        (writer, value) => copy.encodeCopyResponse(writer, code, value),
        copy.decodeCopyResponse,
      ),
  ),
  sample<Uint8Array | null>(
    'FunctionCallResponse',
    'B',
    Backend.FunctionCallResponse,
    Buffer.from([0, 0, 0, 42]),
    functionCall.encodeFunctionCallResponse,
    functionCall.decodeFunctionCallResponse,
  ),
  sample<Uint8Array | null>(
    'FunctionCallResponse null',
    'B',
    Backend.FunctionCallResponse,
    null,
    functionCall.encodeFunctionCallResponse,
    functionCall.decodeFunctionCallResponse,
  ),
  sample(
    'NegotiateProtocolVersion',
    'B',
    Backend.NegotiateProtocolVersion,
    { major: 3, minor: 2, options: ['_pq_.one', '_pq_.two'] },
    negotiate.encodeNegotiateProtocolVersion,
    negotiate.decodeNegotiateProtocolVersion,
  ),
];

export const samples: readonly Sample[] = [
  ...frontendSamples,
  ...authenticationSamples,
  ...backendSamples,
];
