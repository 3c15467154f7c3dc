import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectedSource, type LoggedLine } from '../../../../spec-support/shared-signals-source.js';
import { ecSigner, encoded, hmacSigned, rsaSigner, type Json } from '../../../../spec-support/signers.js';
import { SESSION_REVOKED, SsfTransmitter, type ToldSet } from '../../../../spec-support/ssf-transmitter.js';
import { StillClock } from '../../../../spec-support/still-clock.js';
import type { ConnectedSignalSource } from '../signal-source.js';

const [RSA, EC, ROTATED, STRANGERS] = [rsaSigner(), ecSigner(), ecSigner(), rsaSigner()];

let clock: StillClock;
let transmitter: SsfTransmitter;
let source: ConnectedSignalSource;
let lines: LoggedLine[];
const jti = 'of-the-spec';

beforeEach(async () => {
  clock = new StillClock();
  lines = [];
  transmitter = await SsfTransmitter.start(clock);
  transmitter.signer = RSA;
  transmitter.keys = [RSA.jwk, EC.jwk];
  transmitter.makeStream();
  source = connectedSource(transmitter, { clock, lines });
});
afterEach(() => transmitter.stop());

const members = (change: Json = {}): Json => ({
  iss: transmitter.issuer,
  iat: transmitter.now,
  jti,
  aud: 'https://receiver.example.com/web',
  events: { [SESSION_REVOKED]: {} },
  sub_id: transmitter.session('alice', 's1'),
  ...change,
});
const signed = (how: ToldSet = {}): string =>
  (how.signer ?? RSA).sign(members(how.claims), { typ: 'secevent+jwt', ...how.header });
const pem = (): string => RSA.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const warnings = (): (readonly [string, unknown])[] =>
  lines
    .filter(({ level }) => level === 'warn')
    .map(({ message, fields }) => [message.split(':')[0] ?? '', fields['reason']]);

async function polls(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1);
    await source.poll(1000);
  }
}

describe('sharedSignals tokens', () => {
  it.each<[string, () => string]>([
    ['that is signed with a second key of the issuer', () => signed({ signer: EC })],
    [
      'for several receivers',
      () => signed({ claims: { aud: ['https://other.example.com', 'https://receiver.example.com/mobile'] } }),
    ],
    ['that has the type with the prefix application/', () => signed({ header: { typ: 'application/SecEvent+JWT' } })],
    ['from an issuer whose clock is a minute ahead', () => signed({ claims: { iat: transmitter.now + 60 } })],
    ['that was issued long ago', () => signed({ claims: { iat: transmitter.now - 86_400 } })],
    ['that has unknown claims', () => signed({ claims: { toe: 1, txn: 't', other: {} } })],
  ])('accepts a token %s', async (_, token) => {
    transmitter.deliver(token(), jti);
    expect(await source.poll(0)).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true, isHealthy: true });
  });

  it.each<[string, () => string, string]>([
    [
      'that a stranger signed with the key id of the issuer',
      () => signed({ signer: STRANGERS, header: { kid: RSA.jwk.kid } }),
      'signature_invalid',
    ],
    [
      'that a stranger signed with a key in the header',
      () => signed({ signer: STRANGERS, header: { kid: RSA.jwk.kid, jwk: STRANGERS.jwk } }),
      'signature_invalid',
    ],
    [
      'whose claims were changed',
      () => replaced(signed(), encoded(members({ sub_id: transmitter.session('bob') }))),
      'signature_invalid',
    ],
    ['of alg none', () => signed({ header: { alg: 'none' } }), 'token_malformed'],
    [
      'without a signature',
      () => `${encoded({ alg: 'none', typ: 'secevent+jwt' })}.${encoded(members())}.`,
      'token_malformed',
    ],
    ['of alg None', () => signed({ header: { alg: 'None' } }), 'algorithm_not_allowed'],
    [
      'that is signed with HS256 and the public key as the secret',
      () => hmacSigned('HS256', pem(), members(), { typ: 'secevent+jwt', kid: RSA.jwk.kid }),
      'algorithm_not_allowed',
    ],
    [
      'whose key is published for another algorithm',
      () => signed({ header: { alg: 'PS256' } }),
      'algorithm_not_allowed',
    ],
    ['with a critical extension (crit)', () => signed({ header: { crit: ['exp'] } }), 'critical_header_unknown'],
    ['that names no key', () => signed({ header: { kid: undefined } }), 'signing_key_unknown'],
    ['that is an access token', () => signed({ header: { typ: 'at+jwt' } }), 'not_a_security_event_token'],
    ['that is an ID token', () => signed({ header: { typ: 'JWT' } }), 'not_a_security_event_token'],
    ['that is a logout token', () => signed({ header: { typ: 'logout+jwt' } }), 'not_a_security_event_token'],
    ['without a type', () => signed({ header: { typ: undefined } }), 'not_a_security_event_token'],
    ['of another issuer', () => signed({ claims: { iss: 'https://other.example.com/tenants/7' } }), 'other_issuer'],
    ['of another realm', () => signed({ claims: { iss: transmitter.issuer.replace(/7$/, '8') } }), 'other_issuer'],
    [
      'that names the issuer by a different host name',
      () => signed({ claims: { iss: transmitter.issuer.replace('127.0.0.1', 'localhost') } }),
      'other_issuer',
    ],
    ['for another receiver', () => signed({ claims: { aud: 'https://other.example.com' } }), 'other_audience'],
    ['that has no audience', () => signed({ claims: { aud: undefined } }), 'other_audience'],
    ['with the claim sub', () => signed({ claims: { sub: 'alice' } }), 'has_sub_or_exp'],
    ['with the claim exp', () => signed({ claims: { exp: transmitter.now + 60 } }), 'has_sub_or_exp'],
    ['that is delivered with a different jti', () => signed({ claims: { jti: 'another' } }), 'other_jti'],
    ['that has no jti', () => signed({ claims: { jti: undefined } }), 'other_jti'],
    ['from the future', () => signed({ claims: { iat: transmitter.now + 61 } }), 'issued_in_the_future'],
    ['that has no issue time', () => signed({ claims: { iat: undefined } }), 'time_missing'],
    ['whose issue time is a text', () => signed({ claims: { iat: String(transmitter.now) } }), 'time_missing'],
    [
      'that has two subjects',
      () => RSA.sign(JSON.stringify(members()).replace('{', '{"sub_id":{},'), { typ: 'secevent+jwt' }),
      'token_malformed',
    ],
    ['that ends with a padding character', () => `${signed()}=`, 'token_malformed'],
    ['whose header is not JSON', () => 'a.b.c', 'token_malformed'],
    ['that is too long', () => signed({ claims: { txn: 'x'.repeat(100_000) } }), 'token_too_long'],
  ])('refuses a token %s, and reports a gap', async (_, token, reason) => {
    transmitter.deliver(token(), jti);
    transmitter.revoked('bob', 's2');
    const signals = await source.poll(0);
    expect(signals).toMatchObject({ denials: [{ sid: 's2' }], rechecks: [], isWhole: false, fault: undefined });
    expect(warnings()).toEqual([['A security event token was refused', reason]]);
    clock.advance(1);
    expect(await source.poll(1000)).toMatchObject({ denials: [], isWhole: true });
    expect(transmitter.pending).toContain(jti);
    await polls(30);
    expect(transmitter.pending).not.toContain(jti);
    expect(warnings()).toHaveLength(1);
  });

  it('refuses a token that is not a string', async () => {
    transmitter.instead = ({ path }) =>
      path === '/deliveries/f81d' ? { status: 200, body: '{"sets":{"a":{"iss":"x"},"b":null}}' } : undefined;
    expect(await source.poll(0)).toMatchObject({ denials: [], isWhole: false });
    expect(warnings()).toEqual([['A security event token was refused', 'token_malformed']]);
  });

  it.each<[string, () => string]>([
    [
      'a forged verification',
      () =>
        signed({
          signer: STRANGERS,
          header: { kid: RSA.jwk.kid },
          claims: {
            events: { 'https://schemas.openid.net/secevent/ssf/event-type/verification': {} },
            sub_id: { format: 'opaque', id: 'f81d' },
          },
        }),
    ],
    [
      'a verification for another receiver',
      () =>
        signed({
          claims: {
            aud: 'x',
            events: { 'https://schemas.openid.net/secevent/ssf/event-type/verification': {} },
            sub_id: { format: 'opaque', id: 'f81d' },
          },
        }),
    ],
  ])('does not accept %s as a proof', async (_, token) => {
    transmitter.verifiesLate = true;
    transmitter.deliver(token(), jti);
    expect(await source.poll(0)).toMatchObject({ isHealthy: false, isWhole: false });
  });

  it('logs the number of refused tokens once a minute', async () => {
    for (let number = 0; number < 50; number += 1)
      transmitter.deliver(signed({ header: { typ: 'JWT' } }), randomUUID());
    await source.poll(0);
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { count: 1 } }]);
    clock.advance(60);
    transmitter.deliver(signed({ header: { typ: 'JWT' } }), randomUUID());
    await source.poll(1000);
    expect(lines.filter(({ level }) => level === 'warn').at(-1)).toMatchObject({ fields: { count: 50 } });
    expect(JSON.stringify(lines)).not.toMatch(/eyJ|alice|https?:/);
  });
});

describe('sharedSignals with changing keys', () => {
  it('loses no event in a key rotation', async () => {
    await source.poll(0);
    clock.advance(60);
    transmitter.signer = ROTATED;
    transmitter.keys = [RSA.jwk, ROTATED.jwk];
    transmitter.revoked('alice', 's1');
    expect(await source.poll(1000)).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true });
    expect(transmitter.count('/keys')).toBe(2);
  });

  it('reads the keys at most every 30 seconds for an unknown key, and returns no proof meanwhile', async () => {
    await source.poll(0);
    const unknown = transmitter.revoked('alice', 's1', { signer: ROTATED });
    const signals = [];
    for (let second = 1; second < 30; second += 1) {
      clock.advance(1);
      signals.push(await source.poll(1000));
    }
    expect(transmitter.count('/keys')).toBe(1);
    expect(signals.every(({ denials, isHealthy, isWhole }) => denials.length === 0 && !isHealthy && isWhole)).toBe(
      true,
    );
    transmitter.keys = [RSA.jwk, ROTATED.jwk];
    clock.advance(1);
    expect(await source.poll(1000)).toMatchObject({ denials: [{ sid: 's1' }], isHealthy: true });
    expect(transmitter.count('/keys')).toBe(2);
    expect(transmitter.pending).toContain(unknown);
  });

  it('drops an event after two minutes if the key of the event stays unknown', async () => {
    await source.poll(0);
    clock.advance(1);
    const unknown = transmitter.revoked('alice', 's1', { signer: STRANGERS });
    transmitter.revoked('bob', 's2');
    expect(await source.poll(1000)).toMatchObject({ denials: [{ sid: 's2' }], isHealthy: false, fault: undefined });
    await polls(29);
    clock.advance(1);
    expect((await source.poll(1000)).fault?.reason).toBe('signing_key_unknown');
    await polls(89);
    expect([transmitter.pending.includes(unknown), warnings()]).toEqual([true, []]);
    clock.advance(1);
    expect(await source.poll(1000)).toMatchObject({ denials: [], isWhole: false, fault: undefined });
    expect(warnings()).toEqual([['A security event token was refused', 'signing_key_unknown']]);
    await polls(2);
    expect(transmitter.pending).not.toContain(unknown);
    expect(transmitter.count('/keys')).toBeLessThan(8);
  });

  it('rejects polls until it has read keys, and keeps these keys if a later key request fails', async () => {
    transmitter.revoked('alice', 's1');
    transmitter.instead = ({ path }) => (path === '/keys' ? { status: 503 } : undefined);
    await expect(source.poll(0)).rejects.toMatchObject({ reason: 'answered_503_unexpected_status' });
    transmitter.instead = () => undefined;
    clock.advance(1);
    expect(await source.poll(0)).toMatchObject({ denials: [{ sid: 's1' }] });
    transmitter.instead = ({ path }) => (path === '/keys' ? { status: 503 } : undefined);
    transmitter.revoked('alice', 's2');
    clock.advance(60);
    expect(await source.poll(1000)).toMatchObject({ denials: [{ sid: 's2' }] });
  });
});

function replaced(token: string, payload: string): string {
  const [header, , signature] = token.split('.');
  return [header, payload, signature].join('.');
}
