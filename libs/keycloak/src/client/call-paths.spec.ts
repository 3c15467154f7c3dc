import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { callPath, CountedTokens, mustBeRefused, outcomeOf, spelt } from '../../spec-support/call-paths.js';
import { CALL_BOUNDS } from '../../spec-support/next-service.js';
import { audience } from '../../spec-support/one-issuer.js';
import { RequestLines } from '../../spec-support/request-lines.js';
import { ServiceClient, type ServiceCaller } from './service-client.js';
import { ServiceTransport } from './service-transport.js';

let next: RequestLines;
let tokens: CountedTokens;

beforeEach(async () => {
  tokens = new CountedTokens();
  next = await RequestLines.start();
});

afterEach(() => next.stop());

function caller(base = ''): ServiceCaller {
  const options = { ...CALL_BOUNDS, name: 'service-b', timeoutMs: 60_000, maxResponseBytes: 1024 };
  const transport = new ServiceTransport({ ...options, baseUrl: next.url + base });
  return new ServiceClient('service-b', audience('service-b'), transport, tokens).asService('orders.approve');
}

describe('the path of a call', () => {
  it('is sent unchanged, or throws TypeError before a token is requested (CC-10)', async () => {
    const services = ['', '/base', '/group%2Fproject'].map((base) => [base, caller(base)] as const);
    await fc.assert(
      fc.asyncProperty(callPath, fc.constantFrom(...services), async (path, [base, service]) => {
        [next.lines.length, tokens.requested] = [0, 0];
        const isRefused = !path.startsWith('/') || mustBeRefused(path);
        expect(await outcomeOf(service.get(path))).toBe(isRefused ? 'TypeError' : 'sent');
        expect([next.lines.map(spelt), tokens.requested]).toEqual(
          isRefused ? [[], 0] : [[spelt(`GET ${base}${path} HTTP/1.1`)], 1],
        );
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a space', '/a b/ c ', '/a%20b/%20c%20'],
    ['a character that is not ASCII', '/größe/€/😀', '/gr%C3%B6%C3%9Fe/%E2%82%AC/%F0%9F%98%80'],
    ['an encoded character', '/%c3%bc/%2e.x/%2Fa/%3b', '/%c3%bc/%2e.x/%2Fa/%3b'],
    ['an encoded character after U+001F', '/a%20%7e%80', '/a%20%7e%80'],
    ['an encoded control character in a query', '/a?b=%0d%0aA:%20b%00%7f', '/a?b=%0d%0aA:%20b%00%7f'],
    ['dots and a space in a name', '/..%20a', '/..%20a'],
    ['an empty segment', '//other.example.com//x/', '//other.example.com//x/'],
    ['a dot that is not a segment', '/.well-known/a..b/...', '/.well-known/a..b/...'],
    ['dots in a query', '/a?back=/../b&c=..%2f..', '/a?back=/../b&c=..%2f..'],
    ['an empty query', '/a?', '/a?'],
    ['an incomplete percent-encoding', '/100%/%zz', '/100%/%zz'],
  ])('may have %s', async (_, path, target) => {
    await caller('/base').get(path);
    expect(next.lines).toEqual([`GET /base${target} HTTP/1.1`]);
  });

  it.each([
    '/orders/../admin',
    '/orders/%2e%2e/admin',
    '/orders/.%2E/admin',
    '/orders/./admin',
    '/orders/%2e',
    '/orders/..',
    '/orders/..?q=1',
    '/orders/..%2fadmin',
    '/orders/x%2F%2e.%2fadmin',
    '/orders/x%5c..%5Cadmin',
    '/orders/..;v=1/admin',
    '/orders/..%3b/admin',
    '/orders/%2e%2E%3Bv=1/admin',
    '/orders/..%00/admin',
    '/orders/..%09/admin',
    '/orders/..%20/admin',
    '/orders/.. /admin',
    '/orders/.%20%20?q=1',
    '/orders/%20..%2fadmin',
    '/orders/..%3fx',
    '/orders/..%23x',
    '/orders/..%20;v=1/admin',
    '/a%0d%0aA:%20b',
    '/a/%00',
    '/a%0A?q=1',
    '/a%1F',
    '/a%7f',
    '/orders\\admin',
    '/\\other.example.com',
    '/orders?q=a\\b',
    '/x\r\nA: b',
    '/x?q=a\nb',
    '/.\t./admin',
    '/x\0',
    '/x\u007f',
    '/x\u0085',
    '/x#admin',
    '/x\ud83d',
    '/x?q=\ude00',
  ])('throws TypeError before a token is requested: %j (CC-10)', async (path) => {
    for (const query of [undefined, { a: 'b' }]) {
      expect(await outcomeOf(caller('/base').get(path, query && { query }))).toBe('TypeError');
      expect(await outcomeOf(caller().post(path, {}, query && { query }))).toBe('TypeError');
    }
    expect([next.lines, tokens.requested]).toEqual([[], 0]);
  });

  it.each([[undefined], [null], [['/a']], [{ toString: (): string => '/a' }]])(
    'throws TypeError if the path is not a string: %p',
    async (path) => {
      expect(await outcomeOf(caller().get(path as unknown as string))).toBe('TypeError');
      expect([next.lines, tokens.requested]).toEqual([[], 0]);
    },
  );
});

describe('the query of a call', () => {
  const unit = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\ud83d', '#', '\\'),
  );
  const name = fc.string({ unit, maxLength: 5 });

  it('arrives unchanged, or throws TypeError before a token is requested (CC-10)', async () => {
    const service = caller();
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, name, { maxKeys: 3 }), async (query) => {
        [next.lines.length, tokens.requested] = [0, 0];
        const isRefused = /\p{Cs}/u.test(Object.entries(query).flat().join(' '));
        expect(await outcomeOf(service.get('/a', { query }))).toBe(isRefused ? 'TypeError' : 'sent');
        expect([next.lines.length, tokens.requested]).toEqual(isRefused ? [0, 0] : [1, 1]);
        if (isRefused) return;
        const [, target = ''] = next.lines[0]?.split(' ') ?? [];
        expect([...new URL(target, next.url).searchParams]).toEqual(Object.entries(query));
      }),
      { numRuns: 300 },
    );
  });
});
