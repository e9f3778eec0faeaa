import { Backend } from '../codes.ts';
import { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';

/** NotificationResponse (B): a NOTIFY somebody listens for. May come at any moment when idle. */
export interface Notification {
  /** The notifying server's process. */
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

export function decodeNotification(buffer: Buffer, start: number, end: number): Notification {
  const cursor = new Cursor('NotificationResponse', buffer, start, end);
  const processId = cursor.int32('process id');
  const channel = cursor.cstring('channel');
  const payload = cursor.cstring('payload');
  cursor.finish();
  return { processId, channel, payload };
}

export function encodeNotification(writer: Writer, notification: Notification): void {
  writer.begin(Backend.NotificationResponse);
  writer.int32(notification.processId);
  writer.cstring(notification.channel);
  writer.cstring(notification.payload);
  writer.end();
}
