import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { optionsOf } from '../../spec-support/test-realm.js';
import type { SharedCache, SharedLookup } from '../caching/shared-cache.js';
import { composeKeycloak } from '../module/compose-keycloak.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());

function cacheOver(entries: Map<string, string>): SharedCache {
  const look = async (key: string): Promise<SharedLookup> => {
    const text = entries.get(key);
    return text === undefined ? { kind: 'lease' } : { kind: 'found', text, ageMs: 0, id: key };
  };
  const done = async (): Promise<void> => undefined;
  const put = async (key: string, { text }: { readonly text: string }): Promise<void> => void entries.set(key, text);
  return {
    check: () => undefined,
    connect: () => ({ open: done, look, put, extend: done, release: done, close: done }),
  };
}

async function verifiedBy(text: string, entries: Map<string, string>): Promise<VerifiedAccessToken> {
  const { verifier, sharing } = composeKeycloak({ ...optionsOf(realm, 'service-a'), sharedCache: cacheOver(entries) });
  await Promise.all(sharing.map((each) => each.start(60_000)));
  try {
    return await verifier.verify(text);
  } finally {
    await Promise.all(sharing.map((each) => each.stop()));
  }
}

describe('a shared introspection result', () => {
  it('gives another replica the actor, and none if the result has none', async () => {
    const text = await loginTo(realm, 'alice');
    const act = { sub: 'agent-id', act: { sub: 'clerk-id' } };
    const body = { ...unverifiedClaims(text), active: true, act };
    realm.control.fault('introspection', { kind: 'answer', status: 200, body });
    const entries = new Map<string, string>();
    const actor = { subject: 'agent-id', previous: { subject: 'clerk-id' } };
    expect((await verifiedBy(text, entries)).actor).toEqual(actor);
    expect(entries.size).toBe(1);
    const before = realm.control.calls.introspection;
    expect((await verifiedBy(text, entries)).actor).toEqual(actor);
    for (const [key, entry] of entries) entries.set(key, JSON.stringify({ ...JSON.parse(entry), act: undefined }));
    expect((await verifiedBy(text, entries)).actor).toBeUndefined();
    expect(realm.control.calls.introspection).toBe(before);
  });
});
