/** What leaks is found whatever is around it; what does not leak is not reported. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fingerprint } from '../../protocol/token-hash.js';
import { SHORTEST_PART } from './known-tokens.js';
import { TokenLeakScanner } from './token-leak-scanner.js';

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
const characters = (alphabet: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

const KID = Buffer.from('{"alg":"RS256","typ":"JWT","kid":"FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"}').toString(
  'base64url',
);
/** As one server issues them: of one header, with claims that many have. */
const jwt = fc
  .record({ exp: fc.nat(), jti: fc.uuid(), sub: fc.constantFrom('alice', 'bob'), scope: fc.string({ maxLength: 99 }) })
  .chain((claims) => {
    const payload = Buffer.from(JSON.stringify({ ...claims, iss: 'http://localhost:8080/realms/x', aud: 'service-a' }));
    return characters(BASE64URL, 43, 342).map((signature) => `${KID}.${payload.toString('base64url')}.${signature}`);
  });
const opaque = characters([...BASE64URL, ...'.~+/='], SHORTEST_PART, 400);
const token = fc.oneof(jwt, opaque);
/** Anything at all, and what could go on in the token. */
const around = fc.oneof(fc.string({ maxLength: 60, unit: 'binary' }), characters([...BASE64URL, ...'.%\\&'], 0, 60));

const found = (known: readonly string[], text: string) => {
  const leaks = TokenLeakScanner.start();
  leaks.stop();
  for (const one of known) leaks.issued(one);
  leaks.saw('here', text);
  return leaks.found();
};

const percent = (text: string): string =>
  [...text].map((one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');

describe('a leak', () => {
  it('is found whatever is around it, of whichever of the tokens', () => {
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
    ['percent-encoded, every character', percent],
    ['percent-encoded, what must be', encodeURIComponent],
    ['percent-encoded twice', (text) => encodeURIComponent(encodeURIComponent(text))],
    ['in JSON in JSON', (text) => JSON.stringify(JSON.stringify({ text }))],
    ['in base64', (text) => Buffer.from(text).toString('base64')],
    ['in base64url', (text) => Buffer.from(text).toString('base64url')],
    ['percent-encoded in base64', (text) => Buffer.from(encodeURIComponent(text)).toString('base64')],
    ['in base64 that is percent-encoded', (text) => percent(Buffer.from(text).toString('base64'))],
  ])('is found %s, also with something else', (_, encode) => {
    const words = fc.string({ maxLength: 30, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(token, words, words, around, around, (leaked, before, after, a, b) => {
        // Behind its escapes nothing may look like one more: it would be another text.
        const text = encode(before.replaceAll(/[%\\&]/g, '') + leaked + after.replaceAll(/[%\\&]/g, ''));
        const prints = found([leaked], `${a} ${text} ${b}`).map(({ fingerprint: print }) => print);
        expect(prints).toContain(fingerprint(leaked));
      }),
    );
  });

  it('is found where only a part of some length showed, wherever it is in the token', () => {
    fc.assert(
      fc.property(
        jwt,
        fc.nat(),
        fc.integer({ min: SHORTEST_PART, max: 99 }),
        around,
        around,
        (all, at, length, a, b) => {
          const secret = all.slice(all.indexOf('.') + 1);
          const from = at % (secret.length - SHORTEST_PART + 1);
          const prints = found([all], a + secret.slice(from, from + length) + b).map(({ fingerprint: print }) => print);
          expect(prints).toContain(fingerprint(all));
        },
      ),
    );
  });
});

describe('what is no leak', () => {
  it('is not reported: no text in which no part of a token is', () => {
    const text = fc.array(fc.oneof(around, opaque), { maxLength: 8 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.uniqueArray(token, { minLength: 1, maxLength: 8 }), text, (all, seen) => {
        expect(found(all, seen)).toEqual([]);
      }),
    );
  });

  it('is not reported: the header, the hash, the claims in words, or less than a part', () => {
    fc.assert(
      fc.property(jwt, fc.nat(), around, (all, at, a) => {
        const [header = '', payload = ''] = all.split('.');
        const less = all.slice(header.length + 1 + (at % 200)).slice(0, SHORTEST_PART - 1);
        const claims = Buffer.from(payload, 'base64url').toString();
        expect(found([all], `${a} ${header} ${less} ${fingerprint(all)} ${claims}`)).toEqual([]);
      }),
    );
  });
});

describe('the search', () => {
  it('costs one look at the text, however many tokens there are', () => {
    // Of one user, so that they have most of their claims in common. Jest's own limit would end it otherwise.
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
