import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OBSERVED_USAGE, runObserved } from './run-observed.js';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl';

const REFUSAL = {
  code: 'invalid_token',
  reason: 'other_audience',
  route: 'GET /orders',
  client: 'web',
  count: 12,
};
const IDLE = { admitted: 5, refused: 0, refusedByBoth: 0, failed: {}, dropped: 0 };
const observing = (bend: object = {}) => ({
  mode: 'observe',
  until: '2027-01-31',
  isOverdue: false,
  calls: IDLE,
  refusals: [],
  unlisted: 0,
  startFaults: [],
  ...bend,
});
const REFUSING = observing({ calls: { ...IDLE, refused: 12 }, refusals: [REFUSAL] });

let server: Server;
let base: string;
let seen: IncomingHttpHeaders[] = [];
let answers: Readonly<Record<string, readonly [status: number, body: unknown]>> = {};

beforeAll(async () => {
  server = createServer(({ url = '', headers }, response) => {
    seen.push(headers);
    const [status, body] = answers[url] ?? [404, {}];
    response.writeHead(status, status === 302 ? { location: `${base}/up` } : {});
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  seen = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function observed(args: readonly string[], environment: Record<string, string> = {}) {
  const ran = { printed: '', failed: '' };
  const exitCode = await runObserved(args, {
    environment,
    print: (text) => void (ran.printed += text),
    printError: (text) => void (ran.failed += text),
  });
  return { exitCode, ...ran };
}

async function read(...all: (readonly [status: number, body: unknown])[]) {
  answers = Object.fromEntries(all.map((answer, at) => [`/${at}`, answer]));
  const urls = all.map((_, at) => `${base}/${at}`);
  return observed(['--allow-insecure-requests', ...urls], { OBSERVED_ACCESS_TOKEN: TOKEN });
}

const details = (enforcement: unknown) => ({
  status: 'ok',
  details: { enforcement: { status: 'up', ...Object(enforcement) } },
});

describe('the command observed', () => {
  it('exits with 0 if no call would be refused', async () => {
    const { exitCode, printed } = await read([200, details(observing())], [200, { enforcement: { mode: 'enforce' } }]);
    expect(exitCode).toBe(0);
    expect(printed).toBe(
      `${base}/0 observes until 2027-01-31. Since its start it would have refused 0 of 5 calls.\n\n${base}/1 enforces access.\n`,
    );
  });

  it('exits with 1, and prints the refused calls by reason, client and route', async () => {
    const { client: _, ...unverified } = { ...REFUSAL, reason: 'inactive', route: 'POST /orders/:id', count: 3 };
    const calls = { ...IDLE, refused: 21, refusedByBoth: 4, failed: { timeout: 2 }, dropped: 1 };
    const { exitCode, printed } = await read([
      200,
      details(observing({ calls, unlisted: 6, refusals: [REFUSAL, unverified], startFaults: ['Stock.left is open'] })),
    ]);
    expect(exitCode).toBe(1);
    expect(printed.split('\n')).toEqual([
      `${base}/0 observes until 2027-01-31. Since its start it would have refused 21 of 26 calls.`,
      '  calls  refusal                         client          route',
      '     12  invalid_token (other_audience)  web             GET /orders',
      '      3  invalid_token (inactive)        (not verified)  POST /orders/:id',
      '  ! Refused calls of further kinds: 6.',
      '  ! Calls that the service refused, too: 4.',
      '  ! Calls that could not be judged: timeout 2.',
      '  ! Calls that were not judged, because too many judgements were in flight: 1.',
      '  ! The start would fail: Stock.left is open',
      '',
    ]);
  });

  it('exits with 1 if no call would be refused, but the start would fail', async () => {
    expect(await read([200, details(observing({ startFaults: ['Stock.left is open'] }))])).toMatchObject({
      exitCode: 1,
    });
  });

  it.each([
    ['the service has judged no call', { admitted: 0 }],
    ['Keycloak was unavailable for some calls', { failed: { ECONNREFUSED: 2 } }],
    ['the service did not judge some calls', { dropped: 1 }],
  ])('exits with 1 if %s', async (_, bend) => {
    const { exitCode } = await read([200, details(observing({ calls: { ...IDLE, ...bend } }))]);
    expect(exitCode).toBe(1);
  });

  it('says that observeUntil has passed if the health details have status 503', async () => {
    const { exitCode, printed } = await read([503, details(observing({ isOverdue: true }))]);
    expect(exitCode).toBe(0);
    expect(printed).toContain('still observes, although observeUntil was 2027-01-31');
    expect(printed).toContain('! The next start fails.');
  });

  it('says if a service has judged no call yet', async () => {
    const { printed } = await read([200, details(observing({ calls: { ...IDLE, admitted: 0 } }))]);
    expect(printed).toContain('It has judged no answered call since its start.');
  });

  it('sends the token only to the given URLs, and follows no redirect', async () => {
    const { exitCode, printed, failed } = await read([302, ''], [200, details(observing({ startFaults: [TOKEN] }))]);
    expect(exitCode).toBe(3);
    expect(printed).toContain(`${base}/0 could not be read: the answer is 302.`);
    expect(seen.map(({ authorization }) => authorization)).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
    expect(printed + failed).not.toContain(TOKEN);
  });

  it.each([
    ['another status', [401, {}], 'the details need another token'],
    ['an HTML page', [200, '<html>'], 'has no enforcement'],
    ['the details of an older version', [200, details(undefined)], 'has no enforcement'],
    ['a missing count', [200, details(observing({ calls: { ...IDLE, refused: undefined } }))], 'has no enforcement'],
    ['a text as a count', [200, details(observing({ unlisted: '0' }))], 'has no enforcement'],
    ['a malformed row', [200, details(observing({ refusals: [{ ...REFUSAL, count: -1 }] }))], 'has no enforcement'],
    ['an unknown mode', [200, details(observing({ mode: 'ignore' }))], 'has no enforcement'],
  ] as const)('exits with 3 if one of two services answers with %s', async (_, answer, words) => {
    const { exitCode, printed } = await read([200, details(REFUSING)], answer);
    expect(exitCode).toBe(3);
    expect(printed).toContain('other_audience');
    expect(printed).toContain(words);
  });

  it('exits with 3 if no service answers', async () => {
    const { exitCode, printed } = await observed(['--allow-insecure-requests', 'http://127.0.0.1:1/health']);
    expect(exitCode).toBe(3);
    expect(printed).toContain('could not be read: no answer (ECONNREFUSED)');
  });

  it('prints JSON with --json', async () => {
    answers = { '/up': [200, { enforcement: REFUSING }] };
    const { exitCode, printed } = await observed(['--json', '--allow-insecure-requests', `${base}/up`]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(printed)).toEqual([{ url: `${base}/up`, enforcement: REFUSING }]);
  });

  it("removes control characters in a service's answer from its output", async () => {
    const { printed } = await read([200, details(observing({ startFaults: ['\u001b[2Jgone\nline'] }))]);
    expect(printed).not.toContain('\u001b');
    expect(printed).toContain('The start would fail:  [2Jgone line');
  });

  it.each([
    [[], 'no URL is given'],
    [['http://127.0.0.1:1/health'], '--allow-insecure-requests'],
    [['ftp://orders/health'], 'must be an http(s) URL'],
    [['https://a:b@orders/health'], 'without credentials'],
    [['orders'], 'must be an http(s) URL'],
    [['--token', 'x', 'https://orders'], '--token'],
    [['--ca-file', '/does/not/exist', 'https://orders'], 'caFile'],
    [['--token-file', '/does/not/exist', 'https://orders'], 'OBSERVED_ACCESS_TOKEN'],
  ])('exits with 3 for the arguments %j', async (args, words) => {
    const { exitCode, failed, printed } = await observed(args);
    expect({ exitCode, printed }).toEqual({ exitCode: 3, printed: '' });
    expect(failed).toContain(words);
  });

  it('refuses a malformed token without sending it', async () => {
    const { exitCode, failed } = await observed([`${base}/up`, '--allow-insecure-requests'], {
      OBSERVED_ACCESS_TOKEN: 'a b',
    });
    expect(exitCode).toBe(3);
    expect(failed).toBe('observed: the access token is malformed\n');
    expect(seen).toEqual([]);
  });

  it('prints its usage', async () => {
    expect(await observed(['--help'])).toEqual({ exitCode: 0, printed: OBSERVED_USAGE, failed: '' });
  });
});
