import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SealingKeys, ValkeyClient, valkeyRevocations } from 'nestjs-keycloak-s2s/valkey';
import { OpenIdTokens } from '../../apps/service-a/src/login/openid-tokens.js';
import { SealedSessions } from '../../apps/service-a/src/login/valkey/sealed-sessions.js';
import { ValkeySessionStore } from '../../apps/service-a/src/login/valkey/valkey-session-store.js';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { systemClock } from '../../libs/keycloak/src/caching/clock.js';
import { SharedLevel } from '../../libs/keycloak/src/caching/shared-level.js';
import { HeldDenials } from '../../libs/keycloak/src/revocation/held-denials.js';
import { Rechecks } from '../../libs/keycloak/src/revocation/rechecks.js';
import { RevocationSharing } from '../../libs/keycloak/src/revocation/revocation-sharing.js';
import { LeaseHolder } from '../../libs/keycloak/src/entry-points/signals/lease-holder.js';
import { RevocationStream } from '../../libs/keycloak/src/entry-points/valkey/revocation-stream.js';
import { ValkeyConnection } from '../../libs/keycloak/src/entry-points/valkey/valkey-connection.js';
import { ValkeySharedCache } from '../../libs/keycloak/src/entry-points/valkey/valkey-shared-cache.js';
import { poller, services } from '../../scripts/start/services.mjs';
import { rightsOf } from '../../scripts/start/valkey-users.mjs';
import { until } from '../support/until.js';

const ISSUER = 'https://keycloak.test/realms/test';
const KEYS = new SealingKeys([randomBytes(32).toString('base64')]);
const BOUNDS = { maxSessions: 2, maxSessionsPerUser: 2, sessionIdleSeconds: 100, sessionMaxSeconds: 1000 };
const POLLER = poller({}).name;
const LOGIN_SERVICE = 'service-a';
const NAMES = [...services({}).map(({ name }) => name), POLLER];

let valkey: Valkey;
const ends: (() => Promise<unknown> | void)[] = [];

const cacheOf = (name: string, url = valkey.urlOf(name)): ValkeySharedCache =>
  new ValkeySharedCache(new ValkeyClient({ url: `${url}/1`, deadlineMs: 5000 }), KEYS, {
    issuer: ISSUER,
    clientId: name,
    allowInsecureRequests: true,
  });

const storeOf = (name: string, url = valkey.urlOf(name)): ValkeySessionStore => {
  const owner = { issuer: ISSUER, clientId: name };
  return new ValkeySessionStore(new ValkeyClient({ url }), new SealedSessions(KEYS, ISSUER, name), BOUNDS, owner);
};

async function useStream(url: string, isPoller: boolean): Promise<void> {
  const connection = await ValkeyConnection.open({ url: new URL(url) });
  const stream = new RevocationStream(ISSUER, 10);
  try {
    await stream.checkPolicy(connection);
    await stream.beginEpoch(connection);
    const useful = [{ sealed: 'sealed', usefulMs: 60_000 }];
    await stream.append(connection, [{ sealed: 'of no use', usefulMs: -60_000 }]);
    await stream.append(connection, useful);
    const page = await stream.read(connection, undefined);
    await stream.wait(connection, 0);
    if (!isPoller) return;
    const lease = await stream.lease(connection, 60_000);
    if (lease === undefined || page === undefined) throw new Error('There is no lease');
    await stream.lease(connection, 60_000);
    const place = { epoch: page.epoch, position: page.last };
    expect(await stream.prove(connection, lease, place, 'proof')).toBe('taken');
    await stream.release(connection, lease);
  } finally {
    connection.close();
  }
}

async function useCache(name: string): Promise<void> {
  const cache = cacheOf(name);
  try {
    await cache.open();
    const entry = { text: 'answer', ageMs: 0, servesMs: 60_000, isFinal: false };
    expect(await cache.look('token', 60_000)).toEqual({ kind: 'lease' });
    await cache.extend('token');
    await cache.put('token', entry);
    expect(await cache.look('token', 60_000)).toMatchObject({ kind: 'found' });
    await cache.look('other', 60_000);
    await cache.release('other');
  } finally {
    await cache.close();
  }
}

function session(sessionId: string) {
  const now = performance.now();
  const tokens = new OpenIdTokens({
    accessToken: 'access',
    refreshToken: 'refresh',
    idToken: 'id',
    askedAtMs: now,
    expiresAtMs: now + 300_000,
  });
  const times = { startedAtMs: Date.now(), usedAtMs: Date.now(), generation: 0, csrfToken: 'csrf' };
  return {
    subject: 'alice',
    sessionId,
    username: 'alice',
    authentication: { acr: '1', authTime: 1 },
    tokens,
    ...times,
  };
}

async function useSessions(): Promise<void> {
  const store = storeOf(LOGIN_SERVICE);
  try {
    for (const id of ['s1', 's2', 's3']) await store.add(id, session(id), 1000);
    await store.update('s3', (found) => ({ ...found, generation: 1 }));
    await store.requireRecheck();
    await store.takeLogin('state', 60);
    await store.end({ sessionId: 's2', subject: undefined }, 1000);
    await store.end({ sessionId: undefined, subject: 'bob' }, 1000);
    expect(await store.add('s4', session('s2'), 1000)).toBe(false);
    await store.delete('s3');
  } finally {
    await store.close();
  }
}

async function useAll(name: string): Promise<void> {
  // Uses database 2, because an operator may choose any database.
  await useStream(`${valkey.urlOf(name)}/2`, name === POLLER);
  if (name !== POLLER) await useCache(name);
  if (name === LOGIN_SERVICE) await useSessions();
}

const give = (name: string, rights: readonly string[]): Promise<unknown> =>
  valkey.command(['ACL', 'SETUSER', name, 'reset', 'on', `>password-of-${name}`, ...rights]);

const TABLE = NAMES.flatMap((name) =>
  rightsOf(name)
    .filter((right) => /^[+~%]/.test(right))
    .map((right) => [name, right] as const),
);

const onValkey = valkeyPath === undefined ? describe.skip : describe;

onValkey('the rights of deploy/valkey/users.acl', () => {
  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
  });
  afterAll(() => valkey.remove());
  beforeEach(async () => {
    for (const name of NAMES) await give(name, rightsOf(name));
    await valkey.command(['FLUSHALL']);
    await valkey.command(['SCRIPT', 'FLUSH']);
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it.each(NAMES)('are sufficient for all commands of %s (OP-04)', async (name) => {
    await expect(useAll(name)).resolves.toBeUndefined();
    await valkey.command(['FLUSHALL']);
    await expect(useAll(name)).resolves.toBeUndefined();
  });

  // The client also works without `client|setinfo`, with which the client only reports its name and version.
  it.each(TABLE.filter(([, right]) => right !== '+client|setinfo'))(
    'of %s are insufficient without %s, with an error that names the correction (OP-04)',
    async (name, right) => {
      await give(
        name,
        rightsOf(name).filter((one) => one !== right),
      );
      const error: unknown = await useAll(name).then(
        () => undefined,
        (failed: unknown) => failed,
      );
      const { message, reason = message, hint = '' } = Object(error) as Readonly<Record<string, string>>;
      expect([right, reason]).toEqual([right, 'noperm']);
      const missing = right.startsWith('+') ? `the command "${right.slice(1)}"` : 'access to a key';
      expect(hint).toContain(`The Valkey user "${name}" lacks ${missing}`);
      expect(hint).toContain('docs/valkey.md');
    },
  );

  it.each(NAMES)('do not let %s manage the Valkey server or read the keys of other users (OP-04)', async (name) => {
    const url = valkey.urlOf(name);
    const connection = await ValkeyConnection.open({ url: new URL(url) });
    const commands = [
      'FLUSHALL',
      'FLUSHDB',
      'KEYS *',
      'SCAN 0',
      'RANDOMKEY',
      'CONFIG GET *',
      'ACL LIST',
      'CLIENT LIST',
    ];
    const more = ['SCRIPT FLUSH', 'FUNCTION FLUSH', 'MONITOR', 'SHUTDOWN', 'SAVE', 'GET other', 'PUBLISH x y'];
    for (const command of [...commands, ...more]) {
      await expect(connection.send(command.split(' '), 5000)).rejects.toThrow('noperm');
    }
    connection.close();
  });

  it('let a probe use PING, and no other command (OP-04)', async () => {
    const probe = await ValkeyConnection.open({ url: new URL(valkey.urlOf('probe')) });
    expect(await probe.send(['PING'], 5000)).toBe('PONG');
    for (const command of ['GET x', 'INFO', 'CLIENT LIST', 'EVAL return 0']) {
      await expect(probe.send(command.split(' '), 5000)).rejects.toThrow('noperm');
    }
    await valkey.command(['CONFIG', 'SET', 'busy-reply-threshold', '50']);
    const blocking = valkey.command(['EVAL', 'while true do end', '0']).catch(() => undefined);
    try {
      await until(async () => (await probe.send(['PING'], 5000).catch(String)) !== 'PONG', 'the server is busy');
    } finally {
      await valkey.command(['SCRIPT', 'KILL']);
      // The server answers SCRIPT KILL before the script has ended.
      await blocking;
      await valkey.command(['CONFIG', 'SET', 'busy-reply-threshold', '5000']);
      probe.close();
    }
  });

  it('forbid access to the sessions and cached results of other services (OP-04, BF-05)', async () => {
    const store = storeOf(LOGIN_SERVICE);
    await store.add('s1', session('s1'), 1000);
    await store.close();
    for (const name of NAMES) if (name !== POLLER) await useCache(name);
    for (const database of [0, 1]) {
      const keys = (await valkey.command(['KEYS', '*'], database)) as string[];
      expect(keys.length).toBeGreaterThan(2);
      for (const name of NAMES) {
        const connection = await ValkeyConnection.open({ url: new URL(`${valkey.urlOf(name)}/${database}`) });
        for (const key of keys.filter((one) => !one.startsWith(`nestjs-keycloak-s2s:${name}:`))) {
          for (const command of [
            ['HGET', key, 's'],
            ['TYPE', key],
            ['DEL', key],
          ]) {
            await expect(connection.send(command, 5000)).rejects.toThrow('noperm');
          }
        }
        connection.close();
      }
    }
  });

  it('let services read the proof, and let only pollers write proof and lease (OP-04)', async () => {
    await useStream(valkey.urlOf(POLLER), true);
    const { '0': stream = '' } = ((await valkey.command(['KEYS', '*:revocations'])) as string[]) ?? [];
    for (const name of NAMES.filter((one) => one !== POLLER)) {
      const connection = await ValkeyConnection.open({ url: new URL(valkey.urlOf(name)) });
      for (const key of ['proof', 'lease', 'leases'].map((ending) => `${stream}:${ending}`)) {
        for (const command of [
          ['SET', key, 'x'],
          ['DEL', key],
          ['PEXPIRE', key, '1'],
        ]) {
          await expect(connection.send(command, 5000)).rejects.toThrow('noperm');
        }
      }
      expect(await connection.send(['GET', `${stream}:proof`], 5000)).toBe('proof');
      const own = new RevocationStream(ISSUER, 10);
      const lease = { fencing: 1, grantedAtMs: 0 };
      await expect(own.lease(connection, 60_000)).rejects.toThrow('noperm');
      await expect(own.prove(connection, lease, { epoch: 'e', position: 1 }, 'x')).rejects.toThrow('noperm');
      connection.close();
    }
  });

  describe('that a Valkey user lacks', () => {
    const lines: string[] = [];
    const say = (message: string, fields: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
    const log = { log: say, error: say, warn: say };
    async function hinted(words: string, name: string): Promise<string> {
      const found = (): string | undefined =>
        lines.find((line) => line.includes(words) && line.includes(`The Valkey user \\"${name}\\" lacks`));
      await until(() => found() !== undefined, `the log says "${words}"`);
      return found() ?? '';
    }
    beforeEach(() => void lines.splice(0));

    const sharing = async (name: string): Promise<HeldDenials> => {
      const options = {
        issuer: ISSUER,
        maxRevocations: 10,
        revocationRetentionSeconds: 600,
        clockToleranceSeconds: 5,
        introspectionTtlSeconds: 10,
        allowInsecureRequests: true,
        revocationChannel: valkeyRevocations({
          url: valkey.urlOf(name),
          keys: [randomBytes(32).toString('base64')],
        }),
      };
      const held = new HeldDenials(options, systemClock, log);
      const made = new RevocationSharing(held, new Rechecks(10_000, systemClock), options, systemClock, log);
      ends.push(() => made.stop());
      await made.start(300);
      return held;
    };

    it('are logged when a service reads the stream (OP-04)', async () => {
      await give('service-b', [...rightsOf('service-b'), '-xrange']);
      await sharing('service-b');
      expect(await hinted("The revocation channel can't be read", 'service-b')).toContain('docs/valkey.md');
    });

    it('are logged when a service appends a denial (OP-04)', async () => {
      await useStream(valkey.urlOf('service-b'), false);
      await give('service-b', [...rightsOf('service-b'), '-xadd']);
      const held = await sharing('service-b');
      held.deny({ sid: 's1' });
      expect(await hinted("Denials can't be shared", 'service-b')).toContain('docs/valkey.md');
    });

    it('are logged when a service shares introspection results (OP-04)', async () => {
      await give('service-c', [...rightsOf('service-c'), '-hget']);
      const level = new SharedLevel(cacheOf('service-c'), systemClock, (fault) => say('The shared cache', fault));
      ends.push(() => level.close());
      await cacheOf('service-c', valkey.url).put('token', { text: 'x', ageMs: 0, servesMs: 60_000, isFinal: false });
      await useCache('service-b');
      await valkey.command(['HSET', 'nestjs-keycloak-s2s:service-c:x', 'a', '1'], 1);
      await level.open();
      await level.find('token', 60_000, (text) => text);
      level.put('token', { text: 'x', askedAtMs: 0, servesMs: 60_000 });
      await level.find('token', 60_000, (text) => text);
      expect(await hinted('The shared cache', 'service-c')).toContain('docs/valkey.md');
    });

    it('are logged when a poller takes the lease or writes a proof (OP-04)', async () => {
      await give(POLLER, [...rightsOf(POLLER), '-incr']);
      const connection = await ValkeyConnection.open({ url: new URL(valkey.urlOf(POLLER)) });
      ends.push(() => connection.close());
      const stream = new RevocationStream(ISSUER, 10);
      const feed = { lease: (ms: number) => stream.lease(connection, ms), release: async () => undefined };
      const holder = new LeaseHolder(feed, log, 1000);
      await expect(holder.lease()).resolves.toBeUndefined();
      await holder.lease();
      expect(await hinted("This process can't poll for the other services", POLLER)).toContain('docs/valkey.md');
      expect(lines).toHaveLength(1);
    });
  });
});
