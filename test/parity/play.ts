/** Plays a stream on a connection and writes down every message that comes back, byte for byte. */
import { decodeErrorResponse } from '../../src/wire/error-response.ts';
import type { Message } from '../support/wire-message.ts';
import { WireClient, type WireLogin } from '../support/wire-client.ts';
import type { Stream } from './streams.ts';

const NO_ANSWER_MS = 5_000;
/** Where in the server's sources an error was raised; errors of ours come from elsewhere. */
const SOURCE_FIELDS: ReadonlySet<string> = new Set(['file', 'line', 'routine']);

/** One list per turn. A turn without its full answer ends in what was missing. */
export async function play(login: WireLogin, stream: Stream): Promise<string[][]> {
  const client = await WireClient.connect({ ...login, everything: true });
  const heard: string[][] = [];
  try {
    for (const { sent, until, count } of stream) {
      client.send(sent);
      const answer: string[] = [];
      heard.push(answer);
      for (let left = count; left > 0; ) {
        const message = await within(client.next());
        if (message === null) {
          answer.push(`no more within ${NO_ANSWER_MS} ms`);
          return heard;
        }
        answer.push(written(message));
        if (String.fromCharCode(message.code) === until) left--;
      }
    }
  } catch (error) {
    heard.push([`the connection ended: ${(error as Error).message}`]);
  }
  client.reset();
  return heard;
}

async function within(next: Promise<Message>): Promise<Message | null> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), NO_ANSWER_MS);
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function written({ code, body }: Message): string {
  const letter = String.fromCharCode(code);
  if (letter !== 'E' && letter !== 'N')
    return `${letter} ${JSON.stringify(body.toString('latin1'))}`;
  const fields = Object.entries(decodeErrorResponse(body, 0, body.length));
  const told = fields.filter(([name, value]) => value !== null && !SOURCE_FIELDS.has(name));
  return `${letter} ${JSON.stringify(Object.fromEntries(told))}`;
}
