import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpService } from '@nestjs/axios';
import type { AxiosRequestConfig } from 'axios';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { callPath, CountedTokens, mustBeRefused, outcomeOf, spelt } from '../../../spec-support/call-paths.js';
import { CALL_BOUNDS } from '../../../spec-support/next-service.js';
import { audience } from '../../../spec-support/one-issuer.js';
import { RequestLines } from '../../../spec-support/request-lines.js';
import { ServiceClient } from '../../client/service-client.js';
import { ServiceTransport } from '../../client/service-transport.js';
import { ServiceHttp } from './service-http.service.js';

let next: RequestLines;
let tokens: CountedTokens;

beforeEach(async () => {
  tokens = new CountedTokens();
  next = await RequestLines.start();
});

afterEach(() => next.stop());

function http(base = ''): HttpService {
  const baseURL = next.url + base;
  const options = { ...CALL_BOUNDS, name: 'service-b', timeoutMs: 60_000, maxResponseBytes: 1024 };
  const transport = new ServiceTransport({ ...options, baseUrl: baseURL });
  const client = new ServiceClient('service-b', audience('service-b'), transport, tokens);
  const composed = { service: () => client } as never;
  return new ServiceHttp('service-b', { baseURL, audience: 'service-b' }, composed).asService('orders.approve');
}

const outcome = (service: HttpService, config: AxiosRequestConfig): Promise<unknown> =>
  outcomeOf(firstValueFrom(service.request(config)));

describe('ServiceHttp paths', () => {
  it('sends a path unchanged, or throws TypeError before it requests a token (CC-10)', async () => {
    const services = ['', '/base', '/größe'].map((base) => [base, http(base)] as const);
    await fc.assert(
      fc.asyncProperty(callPath, fc.constantFrom(...services), fc.boolean(), async (path, [base, service], isWhole) => {
        [next.lines.length, tokens.requested] = [0, 0];
        const url = isWhole ? next.url + base + path : path;
        // axios adds a missing leading slash to a path, but not to a URL.
        const isElsewhere = isWhole ? /^[^/?]/.test(path) : /^(?:[a-z][a-z\d+.-]*:)?\/\//i.test(path);
        const given = isWhole || /^(?:\/|$)/.test(path) ? path : `/${path}`;
        const isRefused = isElsewhere || mustBeRefused(path);
        expect(await outcome(service, { url })).toBe(isRefused ? 'TypeError' : 'sent');
        expect([next.lines.map(spelt), tokens.requested]).toEqual(
          isRefused ? [[], 0] : [[spelt(`GET ${targetOf(base, given)} HTTP/1.1`)], 1],
        );
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, AxiosRequestConfig]>([
    ['a dot segment', { url: '/orders/../admin' }],
    ['a dot segment without a slash before it', { url: '../admin' }],
    ['an encoded dot segment', { url: '/orders/%2E%2e/admin' }],
    ['a dot segment between encoded slashes', { url: '/orders/x%2f..%2fadmin' }],
    ['a backslash', { url: '/orders\\admin' }],
    ['a line break', { url: '/x\r\nA: b' }],
    ['a tab', { url: '/x\ty' }],
    ['a fragment', { url: '/orders#admin' }],
    ['a fragment before a query', { url: '/orders#admin', params: { a: 'b' } }],
    ['a lone surrogate', { url: '/\ud800' }],
    ['a lone surrogate in a query', { url: '/orders', params: { a: '\ud800' } }],
    ['a scheme without slashes', { url: 'http:orders' }],
    ['several slashes at the beginning', { url: '//orders', allowAbsoluteUrls: false }],
    ['a serializer that adds a fragment', { url: '/orders', params: { a: 1 }, paramsSerializer: () => 'a#b' }],
    ['a serializer that adds a line break', { url: '/orders', params: { a: 1 }, paramsSerializer: () => 'a\nb' }],
    ['a base URL with a dot segment', { url: '/orders', baseURL: 'BASE/../base' }],
  ])('throws TypeError before it requests a token: %s (CC-10)', async (_, { baseURL, ...config }) => {
    const own = baseURL === undefined ? {} : { baseURL: baseURL.replace('BASE', `${next.url}/base`) };
    expect(await outcome(http('/base'), { ...config, ...own })).toBe('TypeError');
    expect([next.lines, tokens.requested]).toEqual([[], 0]);
  });

  it('calls the base URL if no URL is given, and encodes the query', async () => {
    for (const base of ['', '/base']) await outcome(http(base), { params: { q: 'ä /..#\\' } });
    expect(next.lines).toEqual(['GET /?q=%C3%A4+%2F..%23%5C HTTP/1.1', 'GET /base?q=%C3%A4+%2F..%23%5C HTTP/1.1']);
  });
});

const targetOf = (base: string, path: string): string => (base + path).replace(/^(?!\/)/, '/');
