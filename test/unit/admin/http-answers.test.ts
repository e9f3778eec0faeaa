import { describe, expect, test } from 'vitest';
import { answer, type HttpWindows } from '../../../src/admin/http-answers.ts';

const quiet: HttpWindows = {
  token: null,
  health: () => null,
  unready: () => [],
  status: () => ({ ok: true, clients: 3 }),
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'sluice_info 1\n' }),
};

function ask(url: string, windows: Partial<HttpWindows> = {}, method = 'GET', bearer?: string) {
  const authorization = bearer === undefined ? undefined : `Bearer ${bearer}`;
  return answer({ method, url, authorization }, { ...quiet, ...windows });
}

describe('probes', () => {
  test('healthy and ready are 200', async () => {
    expect(await ask('/healthz')).toMatchObject({
      status: 200,
      body: '{"healthy":true,"reasons":[]}\n',
    });
    expect(await ask('/readyz?verbose')).toMatchObject({
      status: 200,
      body: '{"ready":true,"reasons":[]}\n',
    });
  });

  test('trouble is 503 with the reasons', async () => {
    expect(await ask('/healthz', { health: () => 'stuck' })).toMatchObject({
      status: 503,
      body: '{"healthy":false,"reasons":["stuck"]}\n',
    });
    expect(await ask('/readyz', { unready: () => ['draining', 'not listening'] })).toMatchObject({
      status: 503,
      body: '{"ready":false,"reasons":["draining","not listening"]}\n',
    });
  });

  test('need no token even where one is set', async () => {
    expect((await ask('/healthz', { token: 't' })).status).toBe(200);
    expect((await ask('/readyz', { token: 't' })).status).toBe(200);
  });
});

describe('the token', () => {
  test.each([
    [undefined, 401],
    ['', 401],
    ['wrong', 401],
    ['secret-but-longer', 401],
    ['secret', 200],
  ])('%j is answered with %i', async (bearer, status) => {
    expect((await ask('/metrics', { token: 'secret' }, 'GET', bearer)).status).toBe(status);
  });

  test('the scheme is Bearer in any case, and no other', async () => {
    const windows = { ...quiet, token: 'secret' };
    const request = { method: 'GET', url: '/metrics' };
    expect((await answer({ ...request, authorization: 'bearer  secret ' }, windows)).status).toBe(
      200,
    );
    expect((await answer({ ...request, authorization: 'Basic secret' }, windows)).status).toBe(401);
  });

  test('without it nobody learns which paths there are', async () => {
    const refused = await ask('/metrics', { token: 'secret' });
    expect(await ask('/nothing', { token: 'secret' })).toEqual(refused);
    expect(refused.headers['www-authenticate']).toBe('Bearer');
  });
});

test('the status is JSON, and asks for the token', async () => {
  expect(await ask('/status')).toMatchObject({ status: 200, body: '{"ok":true,"clients":3}\n' });
  expect((await ask('/status', { token: 'secret' })).status).toBe(401);
});

test('metrics come with their own content type and are not cached', async () => {
  expect(await ask('/metrics')).toEqual({
    status: 200,
    headers: {
      'content-type': 'text/plain; version=0.0.4',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body: 'sluice_info 1\n',
  });
});

test('unknown paths are 404, other methods 405 with what is allowed', async () => {
  expect((await ask('/')).status).toBe(404);
  expect((await ask('/metrics/')).status).toBe(404);
  const refused = await ask('/metrics', {}, 'POST');
  expect(refused.status).toBe(405);
  expect(refused.headers['allow']).toBe('GET, HEAD');
  expect((await ask('/healthz', {}, 'DELETE')).status).toBe(405);
});
