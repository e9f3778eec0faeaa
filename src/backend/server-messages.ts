/** The few facts the data plane needs of a server's messages, read in place. */
import { latin1, utf8 } from '../util/bytes.ts';

export interface ErrorFacts {
  readonly sqlstate: string;
  readonly message: string;
  /** FATAL and PANIC end the connection. */
  readonly fatal: boolean;
}

const FIELD_SEVERITY = 0x56; // V: the severity that is never translated (9.6 and later)
const FIELD_SQLSTATE = 0x43; // C
const FIELD_MESSAGE = 0x4d; // M

/** Reads an ErrorResponse's body; tolerant of one that is cut short, as a very long one is. */
export function errorFacts(buffer: Buffer, start: number, end: number): ErrorFacts {
  let sqlstate = '';
  let message = '';
  let fatal = false;
  let position = start;
  while (position < end && buffer[position] !== 0) {
    const field = buffer[position] as number;
    const zero = buffer.indexOf(0, position + 1);
    const stop = zero < 0 || zero > end ? end : zero;
    if (field === FIELD_SQLSTATE) sqlstate = latin1(buffer, position + 1, stop);
    else if (field === FIELD_MESSAGE) message = utf8(buffer, position + 1, stop);
    else if (field === FIELD_SEVERITY) {
      const severity = latin1(buffer, position + 1, stop);
      fatal = severity === 'FATAL' || severity === 'PANIC';
    }
    position = stop + 1;
  }
  return { sqlstate, message, fatal };
}

/** Name and value of a ParameterStatus. */
export function parameterStatus(buffer: Buffer, start: number, end: number): [string, string] {
  const zero = buffer.indexOf(0, start);
  return [utf8(buffer, start, zero), utf8(buffer, zero + 1, end - 1)];
}
