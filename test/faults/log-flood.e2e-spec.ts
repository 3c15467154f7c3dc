import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices, ttl } from '../support/running-services.js';

const ANONYMOUS = 10_000;
const OTHERS = 200;
const SENDERS = 50;
const LINES = 20;

interface Line {
  readonly message: string;
  readonly reason?: string;
  readonly route?: string;
  readonly count?: number;
}

let server: RunningAuthorizationServer;
let lines: readonly Line[];

async function send(times: number, ask: (time: number) => Promise<Response>, status: number): Promise<void> {
  let sent = 0;
  const sender = async (): Promise<void> => {
    while (sent < times) {
      const answer = await ask(sent++);
      await answer.text();
      expect(answer.status).toBe(status);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

beforeAll(async () => {
  server = await startEmbeddedServer();
  const services = await RunningServices.start({ only: ['service-a'], server, variables: ttl(60) });
  const { url } = services.a;
  const post = (path: string, type: string, body: string) =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body });
  try {
    await send(ANONYMOUS, (time) => fetch(`${url}/api/orders/${time}`), 401);
    const withToken = (time: number) => ({ headers: { authorization: `Bearer junk-${time}` } });
    await send(OTHERS, (time) => fetch(`${url}/api/whoami`, withToken(time)), 401);
    await send(OTHERS, (time) => fetch(`${url}/no/such/path/${time}`), 404);
    await send(OTHERS, () => post('/auth/backchannel-logout', 'application/json', '{'), 400);
    const notice = (time: number) => `logout_token=junk-${time}`;
    await send(
      OTHERS,
      (time) => post('/auth/backchannel-logout', 'application/x-www-form-urlencoded', notice(time)),
      400,
    );
    await send(OTHERS, (time) => fetch(`${url}/auth/callback?state=${time}&code=junk`), 400);
    await services.a.stop();
    lines = services
      .printed()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  } finally {
    await services.stop();
  }
});
afterAll(() => server.stop());

function written(is: (line: Line) => boolean): { readonly single: number; readonly requests: number } {
  const found = lines.filter(is);
  const single = found.filter(({ count }) => count === undefined).length;
  return { single, requests: single + found.reduce((sum, { count = 0 }) => sum + count, 0) };
}

describe('the log of a service after a flood', () => {
  it.each<[string, number, (line: Line) => boolean]>([
    [
      'requests without a token',
      ANONYMOUS,
      ({ reason, route }) => reason === 'no_credentials' && route === '/api/orders/:id',
    ],
    ['junk tokens', OTHERS, ({ reason, route }) => reason === 'token_malformed' && route === '/api/whoami'],
    ['logout notices that are not signed', OTHERS, ({ message }) => message.startsWith('Logout token refused')],
    ['callbacks without a login', OTHERS, ({ message }) => message.startsWith('Login failed')],
  ])('has 20 lines about %s, and later a line that counts the others (OP-05)', (_, sent, is) => {
    expect(written(is)).toEqual({ single: LINES, requests: sent });
  });

  it('has no line for an unknown path or a body that is not JSON (OP-05)', () => {
    expect(lines.length).toBeLessThan(200);
  });
});
