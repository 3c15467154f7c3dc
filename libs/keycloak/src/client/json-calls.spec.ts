import { Readable, Stream } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { checkJsonBody, checkTimeout, withQuery, type ServiceQuery } from './json-calls.js';

describe('the body of a JSON call', () => {
  it.each<[string, unknown]>([
    ['a FormData', new FormData()],
    ['a URLSearchParams', new URLSearchParams({ a: 'b' })],
    ['a Blob', new Blob(['x'])],
    ['binary data', Buffer.from('x')],
    ['binary data', new Float64Array(1)],
    ['binary data', new ArrayBuffer(1)],
    ['binary data', new DataView(new ArrayBuffer(1))],
    ['a stream', Readable.from(['x'])],
    ['a stream', new ReadableStream()],
    ['a stream', new Stream()],
    ['a promise', Promise.resolve({})],
    ['a function', () => undefined],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
  ])('can not be %s, because JSON would change the body', (kind, body) => {
    expect(() => checkJsonBody(body)).toThrow(
      `The body is ${kind}, which JSON can't represent. Send forms, files and streams with ServiceHttp (nestjs-keycloak-s2s/axios).`,
    );
  });

  it.each([[undefined], [null], [0], ['text'], [{}], [[1, { a: null }]], [new Date(0)], [{ toJSON: () => 1 }]])(
    'may be %j',
    (body) => {
      expect(() => checkJsonBody(body)).not.toThrow();
    },
  );
});

describe('the query of a JSON call', () => {
  it.each([
    ['/a', {}, '/a'],
    ['/a', { of: undefined }, '/a'],
    ['/a', { q: 'ü &=?#/', n: 1, yes: true }, '/a?q=%C3%BC+%26%3D%3F%23%2F&n=1&yes=true'],
    ['/a?b=c', { d: 'e' }, '/a?b=c&d=e'],
    ['/a', { id: [1, 2, undefined], empty: [] }, '/a?id=1&id=2'],
  ])('is appended to the path %s: %j gives %s', (path, query, target) => {
    expect(withQuery(path, query)).toBe(target);
  });
});

describe('a query that can not be sent', () => {
  it.each<[string, string, unknown]>([
    ['must not contain a lone surrogate', '/a', { a: '\ud800' }],
    ['must not contain a lone surrogate', '/a', { '\udc00': 'a' }],
    ['must be a plain object', '/a', new URLSearchParams({ a: 'b' })],
    ['must be a plain object', '/a', new Map([['a', 'b']])],
    ['query.a must be a string', '/a', { a: null }],
    ['query.a must be a string', '/a', { a: [{}] }],
  ])('throws TypeError: %s', (words, path, query) => {
    expect(() => withQuery(path, query as ServiceQuery)).toThrow(words);
  });
});

describe('the time-out of a call', () => {
  it.each([undefined, 1, 300_000])('accepts %p as timeoutMs', (timeoutMs) => {
    expect(() => checkTimeout(timeoutMs)).not.toThrow();
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, 300_001])('rejects %p as timeoutMs', (timeoutMs) => {
    expect(() => checkTimeout(timeoutMs)).toThrow('timeoutMs must be an integer from 1 to 300000');
  });
});
