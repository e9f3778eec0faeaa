import { describe, expect, test } from 'vitest';
import { Tracer } from '../../../src/wire/trace.ts';
import { type Conversation, recorded } from '../../support/conversations.ts';
import { samples } from '../../support/wire-samples.ts';
import { Writer } from '../../../src/wire/writer.ts';

const PLAIN = { redact: false, regress: false };

function linesOf(conversation: Conversation, tracer: Tracer): { F: string[]; B: string[] } {
  const F = conversation.firstPackets.map((packet) => tracer.firstPacket(packet, 0, packet.length));
  // What `p` means depends on the server's question, so both directions are walked in step.
  const frontend = messages(conversation.frontend);
  const B: string[] = [];
  for (const message of messages(conversation.backend)) {
    B.push(tracer.message('B', message, 0, message.length));
    if (message[0] !== 0x52 || frontend[0]?.[0] !== 0x70) continue;
    const answer = frontend.shift() as Buffer;
    F.push(tracer.message('F', answer, 0, answer.length));
  }
  for (const message of frontend) F.push(tracer.message('F', message, 0, message.length));
  return { F, B };
}

function messages(stream: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + stream.readInt32BE(at + 1);
    found.push(stream.subarray(at, end));
    at = end;
  }
  return found;
}

/** libpq's lines with our secrets hidden, and without its complaint about keys of 32 bytes. */
function expected(trace: readonly string[], direction: 'F' | 'B'): string[] {
  return trace
    .filter((line) => line.startsWith(`${direction}\t`))
    .map((line) => {
      if (/\tBackendKeyData\t/.test(line)) return line.replace(/ -?\d+$/, ' NNNN');
      if (/SASL(Initial)?Response\t|SASL(Continue|Final)\t/.test(line)) {
        return line.replace(/'.*'$/, "'BBBB'");
      }
      return line;
    });
}

const traced = recorded.filter((conversation) => conversation.trace !== null);

test('there are traces to compare with', () => {
  expect(traced.length).toBeGreaterThanOrEqual(7);
});

describe.each(traced)('$name', (conversation) => {
  const lines = linesOf(conversation, new Tracer(PLAIN));

  test("the client's messages read as in libpq's trace", () => {
    expect(lines.F).toEqual(expected(conversation.trace as string[], 'F'));
  });

  test("the server's messages read as in libpq's trace", () => {
    // libpq leaves out the AuthenticationOk behind a SASL exchange.
    const shown = lines.B.filter((line) => line !== 'B\t8\tAuthenticationOk');
    expect(shown).toEqual(expected(conversation.trace as string[], 'B'));
  });
});

describe('a trace', () => {
  function lineOf(name: string, options = PLAIN): string {
    const sample = samples.find((candidate) => candidate.name === name);
    if (sample === undefined) throw new Error(`no sample is called ${name}`);
    const writer = new Writer();
    sample.encode(writer);
    const bytes = writer.take();
    return new Tracer(options).message(sample.direction, bytes, 0, bytes.length);
  }

  test('never shows a password, SASL data or a cancel key', () => {
    const tracer = new Tracer(PLAIN);
    const question = Buffer.of(0x52, 0, 0, 0, 8, 0, 0, 0, 3);
    tracer.message('B', question, 0, question.length);
    const password = Buffer.concat([Buffer.of(0x70, 0, 0, 0, 8), Buffer.from('pwd\0')]);
    expect(tracer.message('F', password, 0, password.length)).toBe(
      'F\t8\tPasswordMessage\t "SSSS"',
    );
    expect(lineOf('PasswordMessage')).toBe("F\t14\tPassword\t 'BBBB'");
    expect(lineOf('BackendKeyData with 32 bytes')).toBe('B\t40\tBackendKeyData\t 12345 NNNN');
  });

  test('hides data when redacting', () => {
    const redacted = { redact: true, regress: false };
    expect(lineOf('Query', redacted)).toBe('F\t20\tQuery\t "SSSS"');
    expect(lineOf('Bind', redacted)).toContain(" 3 4 'BBBB' -1 0 'BBBB' 1 1");
    expect(lineOf('DataRow', redacted)).toBe("B\t19\tDataRow\t 3 1 'BBBB' -1 0 'BBBB'");
    expect(lineOf('CopyData', redacted)).toBe("F\t10\tCopyData\t 'BBBB'");
    expect(lineOf('ErrorResponse', redacted)).toContain('C "23505" M "SSSS" D "SSSS"');
  });

  test('hides what differs from run to run in regress mode', () => {
    const regress = { redact: false, regress: true };
    expect(lineOf('ErrorResponse', regress)).toMatch(
      /^B\tNN\tErrorResponse\t .* F "SSSS" L "SSSS" R "SSSS" \\x00$/,
    );
    expect(lineOf('ParameterDescription', regress)).toBe(
      'B\t14\tParameterDescription\t 2 NNNN NNNN',
    );
    expect(lineOf('NotificationResponse', regress)).toContain(' NNNN "news" ""');
  });

  test('is one line per message, whatever the text', () => {
    expect(lineOf('CopyData')).toBe("F\t10\tCopyData\t '1\\x09one\\x0a'");
    expect(lineOf('ErrorResponse')).toContain('line 1\\x0aline 2');
  });

  test('says what is wrong with a body, and goes on', () => {
    const bytes = Buffer.from('5100000005615300000005ff07000000045100', 'hex');
    expect(new Tracer(PLAIN).stream('F', bytes)).toEqual([
      'F\t5\tQuery\t (invalid Query message: string has no terminating zero)',
      'F\t5\tSync (1 bytes left over)',
      'F\t4\tUnknown(0x07)',
      'F\t-\tincomplete message of 2 bytes',
    ]);
  });

  test('shows the packets that open a connection', () => {
    const tracer = new Tracer(PLAIN);
    const ssl = Buffer.from('0000000804d2162f', 'hex');
    expect(tracer.firstPacket(ssl, 0, 8)).toBe('F\t8\tSSLRequest\t 1234 5679');
    expect(tracer.charResponse('SSLResponse', 0x53)).toBe('B\t1\tSSLResponse\t S');
    const cancel = Buffer.from('0000001004d2162e0000002a01020304', 'hex');
    expect(tracer.firstPacket(cancel, 0, 16)).toBe('F\t16\tCancelRequest\t 1234 5678 42 NNNN');
  });
});
