import { request as dial } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpPort } from '../../src/admin/http.ts';
import type { HttpWindows } from '../../src/admin/http-answers.ts';
import { FakeLog } from '../support/fake-log.ts';

const log = new FakeLog();
let port: HttpPort | null = null;
afterEach(async () => {
  await port?.close();
  port = null;
});

async function start(windows: Partial<HttpWindows> = {}): Promise<number> {
  port = new HttpPort(
    {
      token: null,
      health: () => null,
      unready: () => [],
      status: () => ({ ok: true }),
      metrics: async () => ({ contentType: 'text/plain', text: 'sluice_info 1\n' }),
      ...windows,
    },
    log,
  );
  return await port.listen('127.0.0.1', 0);
}

/** Sends raw bytes and resolves with everything that came back once the peer has closed. */
function exchange(at: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(at, '127.0.0.1', () => socket.write(bytes));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

describe('the HTTP port', () => {
  test('answers GET with a body and HEAD without one', async () => {
    const at = await start();
    const got = await fetch(`http://127.0.0.1:${at}/metrics`);
    expect([got.status, await got.text()]).toEqual([200, 'sluice_info 1\n']);
    const head = await fetch(`http://127.0.0.1:${at}/metrics`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '14']);
    expect(await head.text()).toBe('');
  });

  test('answers 500 and logs when a window breaks, and goes on', async () => {
    const at = await start({ metrics: () => Promise.reject(new Error('broken')) });
    expect((await fetch(`http://127.0.0.1:${at}/metrics`)).status).toBe(500);
    expect(log.messages('error')).toContain('http answer failed');
    expect((await fetch(`http://127.0.0.1:${at}/healthz`)).status).toBe(200);
  });

  test('does not read a body nobody asked for', async () => {
    const at = await start();
    const reply = await exchange(
      at,
      'POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n',
    );
    expect(reply).toMatch(/^HTTP\/1\.1 405 /);
    expect(reply.toLowerCase()).toContain('connection: close');
  });

  test('refuses headers that are too large, and what is not HTTP', async () => {
    const at = await start();
    const large = await exchange(at, `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1\.1 431 /);
    expect(await exchange(at, '\0\0\0\x08\x04\xd2\x16\x2f')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('rejects when the port is taken', async () => {
    const at = await start();
    const second = new HttpPort(
      {
        token: null,
        health: () => null,
        unready: () => [],
        status: () => ({}),
        metrics: () => Promise.reject(),
      },
      log,
    );
    await expect(second.listen('127.0.0.1', at)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('close lets go of connections that are kept alive', async () => {
    const at = await start();
    await new Promise<void>((resolve, reject) => {
      dial({ port: at, path: '/healthz', headers: { connection: 'keep-alive' } }, (response) => {
        response.resume().on('end', resolve);
      })
        .on('error', reject)
        .end();
    });
    await expect(port!.close()).resolves.toBeUndefined();
  });
});
