import { describe, expect, it } from '@jest/globals';
import { returnTo } from './return-to.js';

describe('returnTo', () => {
  it.each(['/', '/run-service-b', '/run-service-b?x=1&y=%2F#end', '/a/../b', '/%ff'])('accepts the path %s', (path) => {
    expect(returnTo(path)).toBe(path === '/a/../b' ? '/b' : path);
  });

  it.each<[string, unknown]>([
    ['//evil.example', '//evil.example'],
    ['/\\evil', '/\\evil.example'],
    ['%2f%2fevil', '%2f%2fevil.example'],
    ['/%2f%2fevil', '/%2f%2fevil.example'],
    ['/%5cevil', '/%5cevil.example'],
    ['/.//evil', '/.//evil.example'],
    ['/a/..//evil', '/a/..//evil.example'],
    ['javascript:', 'javascript:alert(1)'],
    ['another origin', 'https://evil.example/'],
    ['user info', '@evil.example'],
    ['CRLF', '/x\r\nSet-Cookie: a=b'],
    ['a tab that browsers drop', '/\t/evil.example'],
    ['a blank', '/ /evil.example'],
    ['a letter outside ASCII', '/é'],
    ['a list', ['/run-service-b', '/run-service-b']],
    ['nothing', undefined],
    ['more than 2048 characters', `/${'x'.repeat(2048)}`],
    ['more than 2048 characters after encoding', `/${'"'.repeat(700)}`],
    ['the login itself', '/auth/login?return_to=/auth/login'],
    ['the login in another spelling', '/%61uth/login?max_age=0'],
  ])('turns %s into / (BF-03)', (_, asked) => {
    expect(returnTo(asked)).toBe('/');
  });
});
