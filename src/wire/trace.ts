/**
 * Messages as text, one line each, in the format of libpq's PQtrace without timestamps:
 *
 *     F\t13\tQuery\t "select 1"
 *     B\t33\tRowDescription\t 1 "?column?" 0 0 23 4 -1 0
 *
 * whose direction (F from the client, B from the server), length (as on the wire, without the code
 * byte) and fields are what anybody who has debugged libpq knows. For debug output, and as the
 * golden text of conversation tests, where a difference must be readable.
 *
 * Where libpq's own text would not do, it is left:
 *  - control characters in strings are escaped (`\x0a`), so that one message is always one line;
 *  - passwords, SASL data and cancel keys are never shown (`"SSSS"`, `'BBBB'`, `NNNN`): a trace
 *    ends up in tickets;
 *  - a body that cannot be decoded is reported in its line, and nothing here ever throws.
 *
 * `redact` hides what users' data can be (values, COPY data, statements, errors' texts) in the same
 * way; `regress` hides what differs from run to run (object ids, process ids, source lines), as
 * PQTRACE_REGRESS_MODE does.
 */
import { Backend, codeName, type Direction, Frontend } from './codes.ts';
import { HEADER_BYTES } from './limits.ts';
import { AuthenticationKind } from './messages/authentication.ts';
import { CANCEL_REQUEST_CODE, GSSENC_REQUEST_CODE, SSL_REQUEST_CODE } from './startup.ts';
import { TraceLine, type TraceOptions } from './trace-line.ts';

/** Which of the four messages with code `p` the server has asked for. */
type Answer =
  | 'Password'
  | 'PasswordMessage'
  | 'SASLInitialResponse'
  | 'SASLResponse'
  | 'GSSResponse';

/** Reads one field and appends it. */
type Step = (line: TraceLine) => void;

const byte: Step = (line) => line.byte();
const int16: Step = (line) => line.int16();
const int32: Step = (line) => line.int32();
const objectId: Step = (line) => line.runNumber();
const processId: Step = (line) => line.runNumber();
const string: Step = (line) => line.string();
const userText: Step = (line) => line.userText();
const userData: Step = (line) => line.userData();
const value: Step = (line) => line.value();
const secretText: Step = (line) => line.secretText();
const secretData: Step = (line) => line.secretData();
const secretValue: Step = (line) => line.secretValue();
const cancelKey: Step = (line) => line.cancelKey();
const errorFields: Step = (line) => line.errorFields();
const strings: Step = (line) => line.strings();

/** An Int16 count and so many times the steps. */
function list(...steps: readonly Step[]): Step {
  return (line) => {
    for (let left = line.count(); left > 0; left--) for (const step of steps) step(line);
  };
}

const column = [string, objectId, int16, objectId, int16, int32, int16] as const;

/** The fields of every message that has any. */
const FRONTEND_FIELDS: ReadonlyMap<number, readonly Step[]> = new Map<number, readonly Step[]>([
  [Frontend.Query, [userText]],
  [Frontend.Parse, [string, userText, list(objectId)]],
  [Frontend.Bind, [string, string, list(int16), list(value), list(int16)]],
  [Frontend.Execute, [string, int32]],
  [Frontend.Describe, [byte, string]],
  [Frontend.Close, [byte, string]],
  [Frontend.CopyData, [userData]],
  [Frontend.CopyFail, [userText]],
  [Frontend.FunctionCall, [objectId, list(int16), list(value), int16]],
]);

const BACKEND_FIELDS: ReadonlyMap<number, readonly Step[]> = new Map<number, readonly Step[]>([
  [Backend.BackendKeyData, [processId, cancelKey]],
  [Backend.ParameterStatus, [string, string]],
  [Backend.ReadyForQuery, [byte]],
  [Backend.RowDescription, [list(...column)]],
  [Backend.DataRow, [list(value)]],
  [Backend.CommandComplete, [string]],
  [Backend.ErrorResponse, [errorFields]],
  [Backend.NoticeResponse, [errorFields]],
  [Backend.NotificationResponse, [processId, string, userText]],
  [Backend.ParameterDescription, [list(objectId)]],
  [Backend.CopyInResponse, [byte, list(int16)]],
  [Backend.CopyOutResponse, [byte, list(int16)]],
  [Backend.CopyBothResponse, [byte, list(int16)]],
  [Backend.CopyData, [userData]],
  [Backend.FunctionCallResponse, [value]],
  [Backend.NegotiateProtocolVersion, [int32, int32, strings]],
]);

const ANSWER_FIELDS: Readonly<Record<Answer, readonly Step[]>> = {
  Password: [secretData],
  PasswordMessage: [secretText],
  SASLInitialResponse: [string, secretValue],
  SASLResponse: [secretData],
  GSSResponse: [secretData],
};

/** Name, fields, and what the client will answer, by the number that opens the body. */
const AUTHENTICATION: ReadonlyMap<number, readonly [string, readonly Step[], Answer]> = new Map<
  number,
  readonly [string, readonly Step[], Answer]
>([
  [AuthenticationKind.Ok, ['Ok', [], 'Password']],
  [AuthenticationKind.CleartextPassword, ['CleartextPassword', [], 'PasswordMessage']],
  // PQtrace does not show the salt either.
  [AuthenticationKind.MD5Password, ['MD5Password', [], 'PasswordMessage']],
  [AuthenticationKind.GSS, ['GSS', [], 'GSSResponse']],
  [AuthenticationKind.SSPI, ['SSPI', [], 'GSSResponse']],
  [AuthenticationKind.GSSContinue, ['GSSContinue', [secretData], 'GSSResponse']],
  [AuthenticationKind.SASL, ['SASL', [strings], 'SASLInitialResponse']],
  [AuthenticationKind.SASLContinue, ['SASLContinue', [secretData], 'SASLResponse']],
  [AuthenticationKind.SASLFinal, ['SASLFinal', [secretData], 'Password']],
]);

/** One per conversation: what `p` means depends on what the server asked last. */
export class Tracer {
  readonly options: TraceOptions;
  #answer: Answer;

  constructor(options: TraceOptions) {
    this.options = options;
    this.#answer = 'Password';
  }

  /** The line of one complete message [start, end), its five header bytes included. */
  message(direction: Direction, buffer: Buffer, start: number, end: number): string {
    const code = buffer[start] as number;
    const name = codeName(direction, code);
    const line = new TraceLine(name, buffer, start + HEADER_BYTES, end, this.options);
    const isReport = code === Backend.ErrorResponse || code === Backend.NoticeResponse;
    const hidden = this.options.regress && direction === 'B' && isReport;
    const length = hidden ? 'NN' : String(end - start - 1);
    return `${direction}\t${length}\t${line.write(() => this.#fields(line, direction, code))}`;
  }

  /** The line of a complete first packet [start, end): the ones without a code byte. */
  firstPacket(buffer: Buffer, start: number, end: number): string {
    const line = new TraceLine('StartupMessage', buffer, start + 4, end, this.options);
    return `F\t${end - start}\t${line.write(() => firstPacketFields(line))}`;
  }

  /** The line of the one-byte answer to SSLRequest or GSSENCRequest. */
  charResponse(request: 'SSLResponse' | 'GSSENCResponse', byte: number): string {
    return `B\t1\t${request}\t ${String.fromCharCode(byte)}`;
  }

  /** Lines of all messages in [start, end); a piece at the end that is not whole is said so. */
  stream(direction: Direction, buffer: Buffer, start = 0, end = buffer.length): string[] {
    const lines: string[] = [];
    let offset = start;
    while (offset < end) {
      const whole = end - offset >= HEADER_BYTES ? buffer.readUInt32BE(offset + 1) + 1 : 0;
      if (whole < HEADER_BYTES || whole > end - offset) {
        lines.push(`${direction}\t-\tincomplete message of ${end - offset} bytes`);
        break;
      }
      lines.push(this.message(direction, buffer, offset, offset + whole));
      offset += whole;
    }
    return lines;
  }

  #fields(line: TraceLine, direction: Direction, code: number): void {
    if (direction === 'B' && code === Backend.Authentication) {
      this.#authentication(line);
    } else if (direction === 'F' && code === Frontend.Password) {
      line.fields(this.#answer, ANSWER_FIELDS[this.#answer]);
    } else {
      const fields = (direction === 'F' ? FRONTEND_FIELDS : BACKEND_FIELDS).get(code);
      line.fields(codeName(direction, code), fields ?? []);
    }
  }

  #authentication(line: TraceLine): void {
    const kind = line.cursor.int32('kind');
    const known = AUTHENTICATION.get(kind);
    if (known === undefined) {
      line.fields(`Unknown authentication message ${kind}`, []);
      return;
    }
    const [name, steps, answer] = known;
    this.#answer = answer;
    line.fields(`Authentication${name}`, steps);
    if (kind === AuthenticationKind.MD5Password) line.skipRest();
  }
}

function firstPacketFields(line: TraceLine): void {
  const { cursor } = line;
  const version = cursor.left >= 4 ? cursor.buffer.readUInt32BE(cursor.offset) : 0;
  switch (version) {
    case CANCEL_REQUEST_CODE:
      line.fields('CancelRequest', [int16, int16, processId, cancelKey]);
      break;
    case SSL_REQUEST_CODE:
      line.fields('SSLRequest', [int16, int16]);
      break;
    case GSSENC_REQUEST_CODE:
      line.fields('GSSENCRequest', [int16, int16]);
      break;
    default:
      line.fields('StartupMessage', [int16, int16]);
      // The last byte is the terminator, which PQtrace does not show.
      while (cursor.left > 1) line.string();
      line.skipRest();
  }
}
