/** Messages as buffers, in few words: the vocabulary of scripted clients and servers. */
import { Backend, type TransactionStatus } from '../../src/wire/codes.ts';
import { readyForQuery } from '../../src/wire/constants.ts';
import {
  encodeErrorResponse,
  encodeNoticeResponse,
  errorFields,
} from '../../src/wire/error-response.ts';
import { encodeBackendKeyData } from '../../src/wire/messages/backend-key-data.ts';
import { encodeBind } from '../../src/wire/messages/bind.ts';
import { encodeCommandComplete } from '../../src/wire/messages/command-complete.ts';
import {
  encodeCopyData,
  encodeCopyFail,
  encodeCopyResponse,
} from '../../src/wire/messages/copy.ts';
import { encodeDataRowTexts } from '../../src/wire/messages/data-row.ts';
import {
  encodeClose,
  encodeDescribe,
  type ObjectKind,
} from '../../src/wire/messages/describe-close.ts';
import { encodeExecute } from '../../src/wire/messages/execute.ts';
import {
  encodeFunctionCall,
  encodeFunctionCallResponse,
} from '../../src/wire/messages/function-call.ts';
import { encodeNotification } from '../../src/wire/messages/notification-response.ts';
import { encodeParameterDescription } from '../../src/wire/messages/parameter-description.ts';
import { encodeParameterStatus } from '../../src/wire/messages/parameter-status.ts';
import { encodeParse } from '../../src/wire/messages/parse.ts';
import { encodeQuery } from '../../src/wire/messages/query.ts';
import { encodeRowDescription, textColumn } from '../../src/wire/messages/row-description.ts';
import { encodeCancelRequest, encodeStartup } from '../../src/wire/startup.ts';
import { Writer } from '../../src/wire/writer.ts';

const writer = new Writer();

function said(encode: () => void): Buffer {
  encode();
  return writer.take();
}

// What a client says.
export const startup = (params: Readonly<Record<string, string>>, minor = 0): Buffer =>
  said(() => encodeStartup(writer, { minor, params: new Map(Object.entries(params)) }));

export const cancelRequest = (processId: number, key: Buffer): Buffer =>
  said(() => encodeCancelRequest(writer, processId, key));

export const query = (text: string): Buffer => said(() => encodeQuery(writer, text));

export const parse = (name: string, text: string, types: readonly number[] = []): Buffer =>
  said(() => encodeParse(writer, name, text, types));

export const bind = (
  portal: string,
  statement: string,
  values: readonly (string | null)[] = [],
): Buffer =>
  said(() =>
    encodeBind(writer, {
      portal,
      statement,
      formats: [],
      values: values.map((value) => (value === null ? null : Buffer.from(value))),
      resultFormats: [],
    }),
  );

export const describe = (kind: 'S' | 'P', name: string): Buffer =>
  said(() => encodeDescribe(writer, kind.charCodeAt(0) as ObjectKind, name));

export const close = (kind: 'S' | 'P', name: string): Buffer =>
  said(() => encodeClose(writer, kind.charCodeAt(0) as ObjectKind, name));

export const execute = (portal: string, rowsMax = 0): Buffer =>
  said(() => encodeExecute(writer, portal, rowsMax));

/** Parse, Bind and Execute of the unnamed statement; no Sync. */
export const run = (text: string): Buffer =>
  Buffer.concat([parse('', text), bind('', ''), execute('')]);

export const functionCall = (functionId: number): Buffer =>
  said(() => encodeFunctionCall(writer, { functionId, formats: [], values: [], resultFormat: 0 }));

export const copyFail = (reason: string): Buffer => said(() => encodeCopyFail(writer, reason));

// What both say.
export const copyData = (data: string): Buffer =>
  said(() => encodeCopyData(writer, Buffer.from(data)));

// What a server says.
export const ready = (status: 'I' | 'T' | 'E'): Buffer =>
  readyForQuery(status.charCodeAt(0) as TransactionStatus);

export const keyData = (processId: number, key: Buffer): Buffer =>
  said(() => encodeBackendKeyData(writer, processId, key));

export const parameterStatus = (name: string, value: string): Buffer =>
  said(() => encodeParameterStatus(writer, name, value));

export const columns = (...names: readonly string[]): Buffer =>
  said(() => encodeRowDescription(writer, names.map(textColumn)));

export const parameterTypes = (...types: readonly number[]): Buffer =>
  said(() => encodeParameterDescription(writer, types));

export const row = (...texts: readonly (string | null)[]): Buffer =>
  said(() => encodeDataRowTexts(writer, texts));

export const complete = (tag: string): Buffer => said(() => encodeCommandComplete(writer, tag));

export const error = (sqlstate: string, message: string, severity = 'ERROR'): Buffer =>
  said(() => encodeErrorResponse(writer, errorFields(severity, sqlstate, message)));

export const notice = (message: string): Buffer =>
  said(() => encodeNoticeResponse(writer, errorFields('NOTICE', '00000', message)));

export const warning = (sqlstate: string, message: string): Buffer =>
  said(() => encodeNoticeResponse(writer, errorFields('WARNING', sqlstate, message)));

export const notification = (processId: number, channel: string, payload: string): Buffer =>
  said(() => encodeNotification(writer, { processId, channel, payload }));

export const functionResult = (text: string): Buffer =>
  said(() => encodeFunctionCallResponse(writer, Buffer.from(text)));

export const copyIn = (columnsTotal = 1): Buffer =>
  said(() => copyResponse(Backend.CopyInResponse, columnsTotal));

export const copyOut = (columnsTotal = 1): Buffer =>
  said(() => copyResponse(Backend.CopyOutResponse, columnsTotal));

function copyResponse(
  code: typeof Backend.CopyInResponse | typeof Backend.CopyOutResponse,
  columnsTotal: number,
): void {
  encodeCopyResponse(writer, code, {
    format: 0,
    columnFormats: new Array<number>(columnsTotal).fill(0),
  });
}

/** All that a server sends from AuthenticationOk to its first ReadyForQuery. */
export const welcome = (processId: number, key: Buffer): Buffer =>
  Buffer.concat([
    Buffer.of(Backend.Authentication, 0, 0, 0, 8, 0, 0, 0, 0),
    parameterStatus('server_version', '18.4'),
    parameterStatus('client_encoding', 'UTF8'),
    parameterStatus('standard_conforming_strings', 'on'),
    keyData(processId, key),
    ready('I'),
  ]);
