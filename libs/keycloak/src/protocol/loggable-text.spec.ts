import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tokenText } from '../testing/token-text.js';
import { loggableText } from './loggable-text.js';

describe('a text from a server or a caller', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a sentence', 'Invalid scopes: ledger.write', 'Invalid scopes: ledger.write'],
    ['a URL', 'http://127.0.0.1:8080/realms/acme', 'http://127.0.0.1:8080/realms/acme'],
    ['umlauts', 'Zugriff für größere Aufträge fehlt', 'Zugriff für größere Aufträge fehlt'],
    [
      'the names of scopes and hosts',
      'inventory.adjustments at keycloak.production.svc',
      'inventory.adjustments at keycloak.production.svc',
    ],
    ['undefined', undefined, undefined],
    ['an object', { toString: () => 'x' }, undefined],
    ['blanks', ' \n\t', undefined],
    ['several lines', 'a\nERROR [Other] b\u2028c', 'a ERROR [Other] b c'],
    ['commands to a terminal', 'a\u001b[31mb', 'a [31mb'],
    ['a change of the text direction', 'a\u202eb', 'ab'],
    ['a UUID', 'client 3f2b8c1e-0d4a-4f6b-9a2e-1c5d7e9f0a1b', 'client 3f2b8c1e-0d4a-4f6b-9a2e-1c5d7e9f0a1b'],
    ['a path', '/api/v1/administration/customerDocuments', '/api/v1/administration/customerDocuments'],
    ['a long text', 'ab '.repeat(200), `${'ab '.repeat(200).slice(0, 200)}…`],
    ['a secret', `client secret ${'s3cret'.repeat(4)} is wrong`, 'client secret *** is wrong'],
  ])('is made safe to log: %s', (_, given, expected) => {
    expect(loggableText(given)).toBe(expected);
  });

  it('is logged without the secrets of the request and without long parts of these secrets', () => {
    const secrets = ['correct horse', 'ad-hoc-secret'];
    expect(loggableText('bad secret "ad-hoc-secret", or hoc-secret', secrets)).toBe('bad secret "***", or ***');
    expect(loggableText('xad-hoc-secretx', secrets)).toBe('x***x');
    expect(loggableText('xad-hoc-secre', secrets)).toBe('***');
    expect(loggableText('ad-hoc\u200b-secret', secrets)).toBe('***');
    expect(loggableText(`eyJ${'a'.repeat(790)} token=ad-hoc-secret`, secrets)).toBe('*** token=***');
    expect(loggableText('Invalid client secret', secrets)).toBe('Invalid client secret');
  });

  it('is logged without a token, wherever the token appears', () => {
    const words = fc.stringMatching(/^[ -~]{0,80}$/);
    fc.assert(
      fc.property(words, words, fc.nat(500), (before, after, cut) => {
        const token = tokenText(`of ${before.length}`);
        const text = loggableText(`${before}${token.slice(0, token.length - cut)} ${after}`) ?? '';
        for (let at = 0; at + 24 <= token.length; at += 1) expect(text).not.toContain(token.slice(at, at + 24));
      }),
    );
  });
});
