import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fingerprint } from '../../protocol/token-hash.js';
import { KnownTokens, MIN_PART_LENGTH } from './known-tokens.js';
import { TokenLeakScanner } from './token-leak-scanner.js';

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
const characters = (alphabet: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

const KID = Buffer.from('{"alg":"RS256","typ":"JWT","kid":"FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"}').toString(
  'base64url',
);
const jwt = fc
  .record({ exp: fc.nat(), jti: fc.uuid(), sub: fc.constantFrom('alice', 'bob'), scope: fc.string({ maxLength: 99 }) })
  .chain((claims) => {
    const payload = Buffer.from(JSON.stringify({ ...claims, iss: 'http://localhost:8080/realms/x', aud: 'service-a' }));
    return characters(BASE64URL, 43, 342).map((signature) => `${KID}.${payload.toString('base64url')}.${signature}`);
  });
const opaque = characters([...BASE64URL, ...'.~+/='], MIN_PART_LENGTH, 400);
const token = fc.oneof(jwt, opaque);
const around = fc.oneof(fc.string({ maxLength: 60, unit: 'binary' }), characters([...BASE64URL, ...'.%\\&'], 0, 60));

const found = (known: readonly string[], text: string) => {
  const scanner = TokenLeakScanner.start();
  scanner.stop();
  for (const one of known) scanner.addToken(one);
  scanner.inspect('here', text);
  return scanner.leaks();
};

const percent = (text: string): string =>
  [...text].map((one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');

describe('a leaked token', () => {
  it('is found in any surrounding text, even if the scanner knows several tokens', () => {
    fc.assert(
      fc.property(fc.uniqueArray(token, { minLength: 1, maxLength: 8 }), fc.nat(), around, around, (all, at, a, b) => {
        const leaked = all[at % all.length] ?? '';
        expect(found(all, a + leaked + b)).toContainEqual({
          where: 'here',
          fingerprint: fingerprint(leaked),
          form: 'whole',
        });
      }),
    );
  });

  it.each<[string, (text: string) => string]>([
    ['percent-encoded completely', percent],
    ['percent-encoded where necessary', encodeURIComponent],
    ['percent-encoded twice', (text) => encodeURIComponent(encodeURIComponent(text))],
    ['in JSON in JSON', (text) => JSON.stringify(JSON.stringify({ text }))],
    ['in base64', (text) => Buffer.from(text).toString('base64')],
    ['in base64url', (text) => Buffer.from(text).toString('base64url')],
    ['percent-encoded in base64', (text) => Buffer.from(encodeURIComponent(text)).toString('base64')],
    ['in base64 that is percent-encoded', (text) => percent(Buffer.from(text).toString('base64'))],
  ])('is found if the token is %s, even together with other text', (_, encode) => {
    const words = fc.string({ maxLength: 30, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(token, words, words, around, around, (leaked, before, after, a, b) => {
        // The surrounding text must not contain escape characters, because the scanner decodes escapes.
        const text = encode(before.replaceAll(/[%\\&]/g, '') + leaked + after.replaceAll(/[%\\&]/g, ''));
        const prints = found([leaked], `${a} ${text} ${b}`).map(({ fingerprint: print }) => print);
        expect(prints).toContain(fingerprint(leaked));
      }),
    );
  });

  it('is attributed to the right token, even if many tokens have equal claims', () => {
    const tokens = Array.from({ length: 40 }, (_, index) => {
      const claims = {
        exp: 1_700_000_300,
        iat: 1_700_000_000,
        iss: 'https://sso.example.com/realms/shop',
        jti: `${index}`,
      };
      const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
      return `eyJhbGciOiJSUzI1NiJ9.${payload}.${createHash('sha256').update(`${index}`).digest('base64url')}`;
    });
    const known = new KnownTokens();
    for (const one of tokens) known.add(one, 'token');
    for (const one of tokens) {
      expect([...known.in(`https://shop.test/?access_token=${one}`)]).toMatchObject([
        { extent: 'whole', fingerprint: fingerprint(one) },
      ]);
    }
  });

  it('is found by any sufficiently long part of the token', () => {
    fc.assert(
      fc.property(
        jwt,
        fc.nat(),
        fc.integer({ min: MIN_PART_LENGTH, max: 99 }),
        around,
        around,
        (all, at, length, a, b) => {
          const secret = all.slice(all.indexOf('.') + 1);
          const from = at % (secret.length - MIN_PART_LENGTH + 1);
          const prints = found([all], a + secret.slice(from, from + length) + b).map(({ fingerprint: print }) => print);
          expect(prints).toContain(fingerprint(all));
        },
      ),
    );
  });
});

describe('a text without a leak', () => {
  it('is not reported if it contains no part of a token', () => {
    const text = fc.array(fc.oneof(around, opaque), { maxLength: 8 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.uniqueArray(token, { minLength: 1, maxLength: 8 }), text, (all, seen) => {
        expect(found(all, seen)).toEqual([]);
      }),
    );
  });

  it('may contain the header, the hash, the decoded claims and 31 characters of a token', () => {
    fc.assert(
      fc.property(jwt, fc.nat(), around, (all, at, a) => {
        const [header = '', payload = ''] = all.split('.');
        const less = all.slice(header.length + 1 + (at % 200)).slice(0, MIN_PART_LENGTH - 1);
        const claims = Buffer.from(payload, 'base64url').toString();
        expect(found([all], `${a} ${header} ${less} ${fingerprint(all)} ${claims}`)).toEqual([]);
      }),
    );
  });
});

describe('the search for leaked tokens', () => {
  it('reads a text only once, even for many tokens', () => {
    // A slower search would exceed Jest's timeout.
    const claims = { iss: 'http://localhost:8080/realms/x', sub: '4f1d…', scope: 'a b c '.repeat(50) };
    const sign = (at: number): string => Buffer.from(fingerprint(String(at)).repeat(18)).toString('base64url');
    const tokens = Array.from({ length: 5000 }, (_, at) => {
      const payload = Buffer.from(JSON.stringify({ jti: `id-${at}`, ...claims })).toString('base64url');
      return `${KID}.${payload}.${sign(at)}`;
    });
    const line = `${JSON.stringify({ level: 'log', message: `GET /realms/microservices/${'x'.repeat(60)}` })}\n`;
    const text = line.repeat(Math.ceil(4_000_000 / line.length));
    expect(found(tokens, text + tokens[4321] + text)).toEqual([
      { where: 'here', fingerprint: fingerprint(tokens[4321] ?? ''), form: 'whole' },
    ]);
  });
});
