/** The clients of `login-storm.ts`: all at once, with TLS and SCRAM. Prints how they fared. */
import { connect } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { ScramClient } from '../src/auth/scram-client.ts';
import { KeyCache } from '../src/auth/scram-keys.ts';
import { encodeSASLInitialResponse, encodeSASLResponse } from '../src/wire/messages/password.ts';
import { encodeSslRequest, encodeStartup } from '../src/wire/startup.ts';
import { Writer } from '../src/wire/writer.ts';

const [loginText = '', countText = ''] = process.argv.slice(2);
const { host, port, user, password, database } = JSON.parse(loginText) as {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
};
/** One derivation for all, so that the storm costs its own side little. */
const keys = new KeyCache();

function bytes(write: (writer: Writer) => void): Buffer {
  const writer = new Writer(512);
  write(writer);
  return writer.take();
}

/** Resolves with the milliseconds it took. */
function login(): Promise<number> {
  const sinceMs = performance.now();
  return new Promise((resolve, reject) => {
    const plain = connect(port, host, () => plain.write(bytes(encodeSslRequest)));
    plain.once('error', reject);
    plain.once('data', () => {
      const secure = connectTls({ socket: plain, rejectUnauthorized: false });
      secure.once('error', reject);
      secure.once('close', () => reject(new Error('closed')));
      secure.once('secureConnect', () => {
        const params = new Map([
          ['user', user],
          ['database', database],
        ] as const);
        secure.write(bytes((writer) => encodeStartup(writer, { minor: 0, params })));
      });
      converse(
        secure,
        () => {
          resolve(performance.now() - sinceMs);
          secure.destroy();
        },
        reject,
      );
    });
  });
}

function converse(secure: TLSSocket, done: () => void, failed: (error: Error) => void): void {
  const scram = new ScramClient();
  let unread = Buffer.alloc(0);
  secure.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 5) {
      const end = 1 + unread.readInt32BE(1);
      if (unread.length < end) return;
      const body = unread.subarray(5, end);
      const code = String.fromCharCode(unread[0]!);
      unread = unread.subarray(end);
      if (code === 'Z') done();
      else if (code === 'E') failed(new Error(body.toString('latin1')));
      else if (code === 'R') answer(body);
    }
  });
  const answer = (body: Buffer): void => {
    const kind = body.readInt32BE(0);
    const data = Buffer.from(body.subarray(4));
    if (kind === 10) {
      secure.write(
        bytes((writer) => encodeSASLInitialResponse(writer, 'SCRAM-SHA-256', scram.first())),
      );
    } else if (kind === 11) {
      const { salt, iterations } = scram.challenge(data);
      void keys.get(password, salt, iterations).then((derived) => {
        secure.write(bytes((writer) => encodeSASLResponse(writer, scram.finish(derived))));
      });
    } else if (kind === 12) scram.verify(data);
  };
}

const count = Number(countText);
const sinceMs = performance.now();
const results = await Promise.allSettled(Array.from({ length: count }, login));
const tookMs = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
tookMs.sort((a, b) => a - b);
const at = (share: number) => Math.round(tookMs[Math.floor(tookMs.length * share)] ?? 0);
const reasons = new Set(
  results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
);
process.stdout.write(
  `${tookMs.length} of ${count} logged in within ${Math.round(performance.now() - sinceMs)} ms, ` +
    `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms ${[...reasons].join('; ')}\n`,
);
