import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { errors, exportJWK, generateKeyPair, type JWK } from 'jose';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import { SigningKeys } from './signing-keys.js';

const COOL_DOWN_MS = 1000;

let jwks: Record<'old' | 'new', JWK>;
let published: unknown;
let readings: number[];
let nowMs: number;
let pauses: { readonly untilMs: number; readonly end: () => void }[];
let keys: SigningKeys;

beforeAll(async () => {
  const jwk = async (kid: string): Promise<JWK> => {
    const { publicKey } = await generateKeyPair('ES256');
    return { ...(await exportJWK(publicKey)), kid, alg: 'ES256' };
  };
  jwks = { old: await jwk('old'), new: await jwk('new') };
});

beforeEach(() => {
  published = { keys: [jwks.old] };
  readings = [];
  nowMs = 5000;
  pauses = [];
  keys = new SigningKeys(read, {
    nowMs: () => nowMs,
    wait: (ms) => new Promise<void>((end) => pauses.push({ untilMs: nowMs + ms, end })),
  });
});

async function read(): Promise<unknown> {
  readings.push(nowMs);
  if (published instanceof Error) throw published;
  return published;
}

const token = { payload: '', signature: '' };
const keyOf = (kid: string): Promise<unknown> => Promise.resolve(keys.get({ alg: 'ES256', kid }, token));
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function advance(ms: number): Promise<void> {
  await settled();
  nowMs += ms;
  const over = pauses.filter(({ untilMs }) => untilMs <= nowMs);
  pauses = pauses.filter((pause) => !over.includes(pause));
  for (const { end } of over) end();
  await settled();
}

const unknown = expect.objectContaining({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
const outage = () => new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });

describe('SigningKeys', () => {
  it('reads the keys once for concurrent callers, and caches the keys', async () => {
    await Promise.all([keyOf('old'), keyOf('old'), keyOf('old')]);
    nowMs += 599_000;
    await keyOf('old');
    expect(readings).toEqual([5000]);
  });

  it('reads the keys again within a request whose token names an unknown key (BF-02)', async () => {
    await keyOf('old');
    await advance(COOL_DOWN_MS);
    published = { keys: [jwks.new, jwks.old] };
    await expect(keyOf('new')).resolves.toBeDefined();
    expect(readings).toHaveLength(2);
  });

  it('lets a request with an unknown key wait until the end of the cool-down (BF-02)', async () => {
    await keyOf('old');
    published = { keys: [jwks.new, jwks.old] };
    const [first, second] = [keyOf('new'), keyOf('new')];
    await advance(COOL_DOWN_MS - 1);
    expect(readings).toHaveLength(1);
    await advance(1);
    await expect(Promise.all([first, second])).resolves.toHaveLength(2);
    expect(readings).toEqual([5000, 5000 + COOL_DOWN_MS]);
  });

  it('finds a new key despite many unknown key ids, with at most one request per second (BF-02)', async () => {
    await keyOf('old');
    const junk: Promise<unknown>[] = [];
    let rotated: Promise<unknown> | undefined;
    let found: unknown;
    for (let ms = 0; ms < 60_000; ms += 100) {
      junk.push(keyOf(`junk-${ms}`).catch((error: unknown) => error));
      if (ms === 30_000) {
        published = { keys: [jwks.new, jwks.old] };
        rotated = keyOf('new');
      }
      await advance(100);
      if (ms === 31_000) found = await rotated;
    }
    expect(found).toBeDefined();
    await advance(COOL_DOWN_MS);
    for (const error of await Promise.all(junk)) expect(error).toEqual(unknown);
    expect(readings.length).toBeLessThanOrEqual(62);
    const gaps = readings.slice(1).map((at, index) => at - (readings[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(COOL_DOWN_MS);
  });

  it('requests the keys again if a token arrives during the first request (BF-02)', async () => {
    let answer: (set: unknown) => void = () => undefined;
    const before = { keys: [jwks.old] };
    published = new Promise((resolve) => (answer = resolve));
    const first = keyOf('old');
    await settled();
    const rotated = keyOf('new');
    published = { keys: [jwks.new, jwks.old] };
    answer(before);
    await expect(first).resolves.toBeDefined();
    await advance(COOL_DOWN_MS);
    await expect(rotated).resolves.toBeDefined();
    expect(readings).toHaveLength(2);
  });

  it('throws different errors for an unknown key and for unavailable keys (RS-14)', async () => {
    await expect(keyOf('junk')).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
    published = outage();
    const asked = keyOf('new').catch((error: unknown) => error);
    await advance(COOL_DOWN_MS);
    await expect(asked).resolves.toMatchObject({ code: 'authorization_server_unavailable' });
    await expect(keyOf('old')).resolves.toBeDefined();
    published = { keys: [jwks.new] };
    const again = keyOf('new');
    await advance(COOL_DOWN_MS);
    await expect(again).resolves.toBeDefined();
  });

  it('calls a failing Keycloak at most once per second (CC-09)', async () => {
    published = outage();
    const asked: Promise<unknown>[] = [];
    for (let ms = 0; ms < 5000; ms += 100) {
      asked.push(keyOf('new').catch((error: unknown) => error));
      await advance(100);
    }
    await advance(COOL_DOWN_MS);
    for (const error of await Promise.all(asked)) expect(error).toBeInstanceOf(AuthorizationServerError);
    expect(readings.length).toBeLessThanOrEqual(7);
  });

  it('does not read the keys again if a token without a key id matches several keys', async () => {
    published = { keys: [jwks.old, jwks.new] };
    await keyOf('old');
    await expect(keys.get({ alg: 'ES256' }, token)).rejects.toBeInstanceOf(errors.JWKSMultipleMatchingKeys);
    expect(readings).toHaveLength(1);
  });

  it.each([[null], [{}], [{ keys: 'x' }], [[]]])('refuses the key set %j (RS-15)', async (set) => {
    published = set;
    await expect(keyOf('old')).rejects.toMatchObject({ reason: 'signing_keys_malformed' });
  });

  it('accepts a withdrawn key of Keycloak for at most ten minutes (BF-02)', async () => {
    await keyOf('old');
    published = { keys: [jwks.new] };
    nowMs += 600_000;
    await expect(keyOf('old')).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
  });
});
