import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from 'keycloak-test-servers';
import { SealingKeys, valkeyRevocations } from 'nestjs-keycloak-s2s/valkey';
import { proofKeyPair } from '../../libs/keycloak/spec-support/proof-keys.js';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { composeKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import type { ComposedIssuer } from '../../libs/keycloak/src/module/compose-issuer.js';
import { channelFindings } from '../../libs/keycloak/src/cli/doctor/channel-findings.js';
import { ProofKeys } from '../../libs/keycloak/src/entry-points/valkey/proof-keys.js';
import { ProofTexts } from '../../libs/keycloak/src/entry-points/valkey/proof-text.js';
import { RevocationStream } from '../../libs/keycloak/src/entry-points/valkey/revocation-stream.js';
import { ValkeyConnection } from '../../libs/keycloak/src/entry-points/valkey/valkey-connection.js';
import { revocationKeys } from '../../libs/keycloak/src/entry-points/valkey/revocation-keys.js';
import { rightsOf } from '../../scripts/start/valkey-users.mjs';
import { until } from '../support/until.js';

const KEY = randomBytes(32).toString('base64');
const OTHER_KEY = randomBytes(32).toString('base64');
/** A service with this key also accepts proofs that this key signed. */
const PRIVATE_KEY = proofKeyPair().privateKey;
const ISSUER = 'https://keycloak.test/realms/test';
const OWN = { issuer: ISSUER, stream: revocationKeys(ISSUER).stream };
const SEALING = new SealingKeys([KEY]);
const LINKS = { origin: 0, first: 1, before: Buffer.alloc(32), position: 0, head: Buffer.alloc(32) };
const PROOF = { period: { sinceMs: 0, untilMs: 1 }, epoch: 'e', fencing: 1, links: LINKS };
const PASSWORD = 'the-password-4711';
const RIGHTS = rightsOf('signal-poller');

let valkey: Valkey;
const stopping: (() => Promise<unknown>)[] = [];

interface Given {
  readonly url?: string;
  readonly key?: string;
  readonly isPoller?: boolean;
  readonly reliesOnPoller?: boolean;
}

function service({
  url = valkey.url,
  key = KEY,
  isPoller = false,
  reliesOnPoller = false,
}: Given = {}): ComposedIssuer {
  const { issuers } = composeKeycloak({
    issuer: ISSUER,
    clientId: 'orders',
    clientSecret: 'hush',
    allowInsecureRequests: true,
    revocationChannel: valkeyRevocations({ url, keys: [key], proofs: { privateKey: PRIVATE_KEY } }),
    ...(reliesOnPoller ? { introspectionTtlWithEventsSeconds: 300 } : {}),
  });
  const [own] = issuers;
  if (isPoller) own.feed.add({ name: 'events', clientId: 'orders', tryOnce: async () => undefined });
  return own;
}

async function started(given: Given = {}): Promise<ComposedIssuer> {
  const own = service(given);
  stopping.push(() => own.sharing.stop());
  await own.sharing.start(10_000);
  return own;
}

async function doctor(given?: Given): Promise<string[]> {
  const findings = await channelFindings(service(given), false);
  expect(JSON.stringify(findings)).not.toContain('4711');
  return findings.map(({ level, message, cure = '' }) => `${level}: ${message} ${cure}`.trim());
}

const sealed = (text: object): string => SEALING.seal(JSON.stringify(text), ['revocation proof', ISSUER]);

async function urlWith(...rights: readonly string[]): Promise<string> {
  await valkey.command(['ACL', 'SETUSER', 'orders', 'reset', 'on', `>${PASSWORD}`, ...rights]);
  return valkey.url.replace('//', `//orders:${PASSWORD}@`);
}

(valkeyPath === undefined ? describe.skip : describe)('doctor for a revocation channel over Valkey (OP-02)', () => {
  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
  });
  afterAll(async () => valkey.remove());
  beforeEach(async () => {
    await valkey.command(['FLUSHALL']);
  });
  afterEach(async () => {
    for (const stop of stopping.splice(0)) await stop();
  });

  it('reports no error and changes no data if its Valkey user has the rights in docs/valkey.md', async () => {
    const one = await started();
    one.denials.deny({ sid: 's1' });
    const before = await dump();
    const url = await urlWith(...RIGHTS);
    const findings = await doctor({ url, isPoller: false });
    expect(findings).toEqual([
      expect.stringMatching(/^ok: Valkey at 127\.0\.0\.1:\d+, database 0: reached, the password is accepted/),
      expect.stringMatching(
        /^ok: The key that seals denials has the fingerprint [\da-f]{8}\. Every service needs this key\.$/,
      ),
    ]);
    expect(await dump()).toEqual(before);
  });

  async function dump(): Promise<Record<string, unknown>> {
    const keys = (await valkey.command(['KEYS', '*'])) as string[];
    const dumps = keys
      .toSorted()
      .map(async (key) => [key, await valkey.command(['DEBUG', 'OBJECT', key]).catch(() => '')]);
    return Object.fromEntries(await Promise.all(dumps)) as Record<string, unknown>;
  }

  it('reports a Valkey server that is unreachable', async () => {
    const url = `valkey://127.0.0.1:${await freePort()}`;
    expect(await doctor({ url, reliesOnPoller: true })).toEqual([
      expect.stringMatching(
        /^error: Valkey at 127\.0\.0\.1:\d+, database 0 is unreachable \(econnrefused\)\. Start the server/,
      ),
    ]);
  });

  it('reports a Valkey user whose password is wrong', async () => {
    await urlWith(...RIGHTS);
    const url = valkey.url.replace('//', '//orders:not-the-4711@');
    expect(await doctor({ url })).toEqual([
      expect.stringMatching(
        /^error: .* refuses the user orders or its password \(wrongpass\)\. Compare the user and the password/,
      ),
    ]);
  });

  it.each([
    ['use a command of the stream', ['-xadd'], 'the commands xadd'],
    ['use the write commands', ['-@write'], 'the commands hset, xadd, xdel, del'],
    ['run scripts', ['-@scripting'], 'the commands eval'],
    ['read the memory settings', ['-info'], 'the commands info'],
    ['access the keys of the library', ['resetkeys', '~other:*'], 'the keys nestjs-keycloak-s2s:'],
  ])('names the missing right of the Valkey user to %s', async (_, without, missing) => {
    const url = await urlWith(...RIGHTS, ...without);
    expect(await doctor({ url })).toEqual([
      expect.stringContaining(`database 0: the user orders has no right to ${missing}`),
    ]);
  });

  it.each(['pexpire', 'incr'])(
    'reports the missing right to the command %s only if the Valkey user belongs to a poller',
    async (command) => {
      const url = await urlWith(...RIGHTS, `-${command}`);
      expect(await doctor({ url })).toEqual([expect.stringMatching(/^ok/), expect.stringMatching(/^ok/)]);
      expect(await doctor({ url, isPoller: true })).toEqual([
        expect.stringContaining(`has no right to the commands ${command}`),
      ]);
    },
  );

  it('leaves no key in Valkey, even if the poller lacks a right', async () => {
    for (const without of [[], ['-del'], ['-set'], ['-set', '-del'], ['-incr']]) {
      const url = await urlWith(...RIGHTS, ...without);
      await service({ url }).sharing.examine({ isPoller: true, proofWaitMs: 0 });
      expect(await valkey.command(['KEYS', '*'])).toEqual([]);
    }
  });

  it('reports that the denial keys of two services differ (row 38)', async () => {
    const other = await started({ key: OTHER_KEY });
    other.denials.deny({ sid: 's1' });
    await until(() => other.sharing.status.unshared === 0, 'it is shared');
    expect(await doctor()).toEqual([
      expect.stringMatching(
        /^error: This service can't decrypt 1 of the last 1 denials: its keys differ .* SHARED_DENIAL_KEYS/,
      ),
    ]);
    const [, ofThis, ofOther] = [await doctor({ key: OTHER_KEY }), service().sharing, other.sharing];
    const question = { isPoller: false, proofWaitMs: 0 };
    const prints = [await ofThis.examine(question), await ofOther.examine(question)].map(
      (examination) => examination?.keyFingerprints[0],
    );
    expect(prints[0]).not.toBe(prints[1]);
  });

  it('reports denials that a newer version of the library wrote (OP-01)', async () => {
    await started();
    const connection = await ValkeyConnection.open({ url: new URL(valkey.url) });
    const newer = Buffer.from([2, ...randomBytes(90)]).toString('base64');
    await new RevocationStream(ISSUER, 1000).append(connection, [{ sealed: newer, usefulMs: 60_000 }]);
    connection.close();
    expect(await doctor()).toEqual([
      expect.stringMatching(/^error: This service can't read 1 of the last 1 denials: a newer version .* Update this/),
    ]);
  });

  it('reports stream entries that no version of the library wrote', async () => {
    await started();
    const connection = await ValkeyConnection.open({ url: new URL(valkey.url) });
    const stream = new RevocationStream(ISSUER, 1000);
    const malformed = SEALING.seal('{"k":"unheard of"}', ['revocation', ISSUER]);
    await stream.append(
      connection,
      [malformed, ''].map((text) => ({ sealed: text, usefulMs: 60_000 })),
    );
    connection.close();
    expect(await doctor()).toEqual([
      expect.stringMatching(
        /^error: This service can't read 2 of the last 2 denials: no version .* Find out which process/,
      ),
    ]);
  });

  const another = { issuer: ISSUER, stream: 'another' };
  const signed = (privateKey: string, identity = OWN): string =>
    new ProofTexts(SEALING, new ProofKeys('spec', { privateKey }), identity).write(PROOF);
  it.each([
    [
      'that an unknown key has signed',
      () => signed(proofKeyPair().privateKey),
      /signed by a key .*SIGNAL_PROOF_PUBLIC_KEYS/,
    ],
    ['of a newer version', () => sealed({ d: '{"v":2}', k: 'k', g: 'g' }), /newer version .* Update this service/],
    [
      'with unknown content',
      () => sealed({}),
      /^error: The key for the poller's proof has another content.* Find out which process/,
    ],
    ['of another stream', () => signed(PRIVATE_KEY, another), /proof of another stream\. Find out who writes/],
  ])("reports a poller's proof %s, but not a missing poller (RS-30)", async (_, proof, finding) => {
    await started();
    await valkey.command(['SET', revocationKeys(ISSUER).proof, proof()]);
    expect(await doctor({ reliesOnPoller: true })).toEqual([expect.stringMatching(finding)]);
  });

  it('reports whether a poller runs', async () => {
    expect(await doctor({ reliesOnPoller: true })).toContainEqual(
      expect.stringMatching(
        /^error: No poller runs, or it can't poll Keycloak: there is no proof\. .* Start the process/,
      ),
    );
    const poller = await started({ isPoller: true });
    const over = new AbortController();
    const polling = (async () => {
      while (!over.signal.aborted) {
        const lease = await poller.feed.lease(3000);
        if (lease === undefined) throw new Error('There is another poller');
        await poller.feed.prove(lease, { sinceMs: lease.grantedAtMs, untilMs: lease.grantedAtMs });
      }
    })();
    expect(await doctor({ reliesOnPoller: true })).toContainEqual(
      'ok: A poller runs: it wrote a proof during this examination.',
    );
    over.abort();
    await polling;
    expect(await doctor({ reliesOnPoller: true })).toContainEqual(
      expect.stringMatching(/^error: No poller runs, or it can't poll Keycloak: the last proof is \d+ s old/),
    );
  });
});
