import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BearerError } from '../protocol/bearer-error.js';
import { TOKEN_PROFILES } from '../protocol/token-profile.js';
import { respellingsOf } from '../../spec-support/respellings.js';
import { tokenText } from '../testing/token-text.js';
import { bearerToken, checkBearerToken, type BearerRequest } from './bearer-token.js';

const MAX_BYTES = 1024;
const TOKEN = tokenText('alice');

const withHeader = (authorization: string): BearerRequest => ({ headers: { authorization } });

function outcome(request: BearerRequest): string | undefined {
  try {
    const token = bearerToken(request, MAX_BYTES);
    if (token !== undefined) checkBearerToken(token, TOKEN_PROFILES.keycloak);
    return token;
  } catch (error) {
    if (error instanceof BearerError) return `${error.code}: ${error.reason}`;
    throw error;
  }
}

describe('bearerToken (RFC 6750 section 2)', () => {
  it('returns undefined for a request without credentials', () => {
    expect(outcome({ headers: {} })).toBeUndefined();
    expect(outcome({ headers: {}, rawHeaders: ['Host', 'b'], query: { page: '1' }, body: { a: 1 } })).toBeUndefined();
  });

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])(
    'accepts the scheme in upper case and lower case: %s (RS-03)',
    (scheme) => {
      expect(outcome(withHeader(`${scheme} ${TOKEN}`))).toBe(TOKEN);
      expect(outcome(withHeader(`${scheme}   ${TOKEN}`))).toBe(TOKEN);
    },
  );

  it.each([
    ['', 'invalid_request: malformed_authorization_header'],
    [' ', 'invalid_request: malformed_authorization_header'],
    ['Bearer', 'invalid_request: malformed_authorization_header'],
    ['Bearer ', 'invalid_request: malformed_authorization_header'],
    ['Bearer a b', 'invalid_request: malformed_authorization_header'],
    ['Bearer a\tb', 'invalid_request: malformed_authorization_header'],
    ['Bearer\ta', 'invalid_request: malformed_authorization_header'],
    [' Bearer a', 'invalid_request: malformed_authorization_header'],
    ['Bearer: a', 'invalid_request: malformed_authorization_header'],
    ['Basic YTpi', 'missing_token: scheme_not_bearer'],
    ['Bearerx abc', 'missing_token: scheme_not_bearer'],
    ['abc.def', 'missing_token: scheme_not_bearer'],
    ['Bearer a,b', 'invalid_token: token_malformed'],
    ['Bearer "abc"', 'invalid_token: token_malformed'],
    ['Bearer =abc', 'invalid_token: token_malformed'],
    ['Bearer a=b', 'invalid_token: token_malformed'],
    ['Bearer abcä', 'invalid_token: token_malformed'],
    ['Bearer a\u0000b', 'invalid_token: token_malformed'],
    ['Bearer token="abc"', 'invalid_token: token_malformed'],
    ['Bearer abcd', 'invalid_token: token_malformed'],
    ['Bearer AA.AA', 'invalid_token: token_malformed'],
    ['Bearer AA.AA.', 'invalid_token: token_malformed'],
    ['Bearer AA.AA.AA.AA.AA', 'invalid_token: token_malformed'],
    ['Bearer AA.AA.AB', 'invalid_token: token_malformed'],
  ])('refuses %j: %s (RS-03)', (header, refusal) => {
    expect(outcome(withHeader(header))).toBe(refusal);
  });

  it('refuses every other spelling of a token (RS-03)', () => {
    const others = respellingsOf(TOKEN).map((other) => outcome(withHeader(`Bearer ${other}`)));
    expect(others.length).toBeGreaterThan(30);
    expect(new Set(others)).toEqual(new Set(['invalid_token: token_malformed']));
  });

  it('limits the length of a token (RS-03)', () => {
    const start = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.AA`;
    const longest = `${start}.${'A'.repeat(MAX_BYTES - start.length - 1)}`;
    expect(longest).toHaveLength(MAX_BYTES);
    expect(outcome(withHeader(`Bearer ${longest}`))).toBe(longest);
    expect(outcome(withHeader(`Bearer ${'a'.repeat(MAX_BYTES + 1)}`))).toBe('invalid_token: token_too_long');
  });

  it('returns a token or throws a refusal, whatever the header contains (RS-03)', () => {
    const junk = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((rest) => `Bearer ${rest}`),
      fc.stringMatching(/^[Bb]earer +[\w.~+/=, "-]{0,40}$/),
      fc.stringMatching(/^[Bb]earer +[\w-]{2}\.[\w-]{3,4}\.[\w-]{4}$/),
    );
    fc.assert(
      fc.property(junk, (header) => {
        const result = outcome(withHeader(header));
        expect(result).toMatch(/^([\w-]+\.[\w-]+\.[\w-]+|(invalid_request|missing_token|invalid_token): [a-z0-9_]+)$/);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, Partial<BearerRequest>]>([
    ['raw headers (Express)', { rawHeaders: ['Authorization', 'Bearer a', 'authorization', 'Bearer b'] }],
    [
      'raw headers (Fastify)',
      { raw: { rawHeaders: ['AUTHORIZATION', 'Bearer a', 'Host', 'h', 'Authorization', 'x'] } },
    ],
    ['the same header twice', { rawHeaders: ['Authorization', 'Bearer a', 'Authorization', 'Bearer a'] }],
    ['a list', { headers: { authorization: ['Bearer a', 'Bearer b'] } }],
  ])('refuses two Authorization headers: %s (RS-03)', (_, request) => {
    expect(outcome({ headers: { authorization: 'Bearer a' }, ...request })).toBe(
      'invalid_request: more_than_one_credential',
    );
  });

  it('reads the property `headers` if the property `rawHeaders` is empty (RS-03)', () => {
    const { rawHeaders } = new IncomingMessage(new Socket());
    const incoming = (authorization: string): BearerRequest => ({ ...withHeader(authorization), rawHeaders, url: '/' });
    expect(outcome(incoming(`Bearer ${TOKEN}`))).toBe(TOKEN);
    expect(outcome(incoming('Bearer junk'))).toBe('invalid_token: token_malformed');
  });

  it('reads the headers of the request if its property `raw` is not a request (RS-03)', () => {
    const rawHeaders = Array.from({ length: 200 }, () => 'x');
    const socket = { server: { maxHeadersCount: 100 } };
    expect(outcome({ headers: {}, raw: {}, rawHeaders, socket })).toBe('invalid_request: too_many_headers');
  });

  it('does not mistake a header value for the name of a header', () => {
    const rawHeaders = ['X-Name', 'authorization', 'Authorization', `Bearer ${TOKEN}`, 'X-Other', 'Authorization'];
    expect(outcome({ headers: { authorization: `Bearer ${TOKEN}` }, rawHeaders })).toBe(TOKEN);
  });

  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const inCapitals = { 'content-type': 'Application/X-WWW-Form-URLEncoded' };
  it.each<[string, BearerRequest, string]>([
    ['the query', { headers: {}, query: { access_token: TOKEN } }, 'missing_token: token_in_query'],
    ['an empty query parameter', { headers: {}, query: { access_token: '' } }, 'missing_token: token_in_query'],
    [
      'the unparsed query of a handshake',
      { headers: {}, url: '/chat?a=?&access%5Ftoken=x' },
      'missing_token: token_in_query',
    ],
    ['a parameter without a value', { headers: {}, url: '/?access_token', query: {} }, 'missing_token: token_in_query'],
    [
      'a header and an unparsed query',
      { headers: { authorization: 'Bearer a' }, url: '/chat?access_token=a' },
      'invalid_request: more_than_one_credential',
    ],
    ['a form', { headers: form, body: { access_token: TOKEN } }, 'missing_token: token_in_form'],
    ['a form in capitals', { headers: inCapitals, body: { access_token: TOKEN } }, 'missing_token: token_in_form'],
    [
      'a header and a query',
      { headers: { authorization: 'Bearer a' }, query: { access_token: 'a' } },
      'invalid_request: more_than_one_credential',
    ],
    [
      'a header and a form',
      { headers: { ...form, authorization: 'Bearer a' }, body: { access_token: 'a' } },
      'invalid_request: more_than_one_credential',
    ],
  ])('does not accept a token from %s (RS-01)', (_, request, refusal) => {
    expect(outcome(request)).toBe(refusal);
  });

  it('ignores a token in a JSON body, which is not a credential (RFC 6750)', () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
    expect(outcome({ headers, body: { access_token: 'x' } })).toBe(TOKEN);
  });
});
