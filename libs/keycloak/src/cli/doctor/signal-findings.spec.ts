import { describe, expect, it } from '@jest/globals';
import { AuthorizationServerError } from '../../protocol/authorization-server-error.js';
import { composeKeycloak, type ComposedKeycloak } from '../../module/compose-keycloak.js';
import type { RevocationChannel } from '../../revocation/revocation-channel.js';
import { SignalFeed } from '../../entry-points/signals/signal-feed.js';
import { jwtVerification } from '../../entry-points/jwt/index.js';
import { SignalSourceError, type Signals, type SignalSource } from '../../entry-points/signals/signal-source.js';
import { roleKey, type RoleKey } from '../administrator/role-key.js';
import type { RealmClient, RealmSnapshot } from '../administrator/realm-snapshot.js';
import { feedFindings } from './feed-findings.js';
import { signalFindings, signalRealmFindings, signalSettingFindings } from './signal-findings.js';

const QUIET: Signals = { denials: [], rechecks: [], isWhole: true, isHealthy: true };

const feeds: SignalFeed[] = [];

function service(options: object = {}, poll?: () => Promise<Signals>, name = 'events'): ComposedKeycloak {
  const keycloak = composeKeycloak({
    issuer: 'https://sso.example.com/realms/shop',
    clientId: 'shop',
    clientSecret: 'hush',
    ...options,
  });
  if (poll === undefined) return keycloak;
  const source: SignalSource = {
    name,
    connect: () => ({ poll }),
  };
  feeds.push(new SignalFeed(keycloak.issuers[0], keycloak.revocations, { sources: [source], pollMs: 1000 }));
  return keycloak;
}

const said = async ({ issuers: [own] }: ComposedKeycloak): Promise<string[]> =>
  [...(await signalFindings(own)), ...signalSettingFindings(own)].map(({ level, message, cure = '' }) =>
    `${level}: ${message} ${cure}`.trim(),
  );

describe('the findings of doctor about signals', () => {
  it('contain no fault if the feed would receive revocations', async () => {
    expect(await said(service({}, async () => QUIET))).toEqual([
      'ok: events: revocations would be received, by the client shop.',
    ]);
  });

  it('are empty if the application has no feed', async () => {
    expect(await said(service())).toEqual([]);
  });

  it('warn about a channel without the public keys of pollers (RS-30)', async () => {
    const channel = (publicKeys: number, canSign = false): RevocationChannel => ({
      check: () => undefined,
      proofKeys: () => ({ canSign, publicKeys }),
      connect: () => {
        throw new Error('Nothing is sent');
      },
    });
    expect(await said(service({ revocationChannel: channel(0) }))).toEqual([
      'warning: This service has a revocationChannel but no public key of a poller. It accepts no proof, so it reuses cached answers for introspectionTtlSeconds only. Set proofs.publicKeysFile of valkeyRevocations() (SIGNAL_PROOF_PUBLIC_KEYS_FILE) to the public keys of the pollers.',
    ]);
    expect(await said(service({ revocationChannel: channel(2) }))).toEqual([
      'ok: Proofs of the revocationChannel are verified by 2 public keys.',
    ]);
    expect(await said(service({ revocationChannel: channel(1, true) }, async () => QUIET))).toContain(
      'ok: Proofs of the revocationChannel are verified by 1 public key, and signed here.',
    );
  });

  it('report that the feed would receive no revocations, and say how to correct the fault', async () => {
    const forbidden = async (): Promise<Signals> => {
      throw new SignalSourceError('forbidden', 'Give it the role.');
    };
    expect(await said(service({}, forbidden))).toEqual([
      'error: events: revocations would not be received by the client shop (forbidden). Give it the role.',
    ]);
  });

  it('contain a time-out only if the second try times out, too', async () => {
    const late = (times: number) => async (): Promise<Signals> => {
      if ((times -= 1) >= 0)
        throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
      return QUIET;
    };
    expect(await said(service({}, late(1)))).toEqual([
      'ok: events: revocations would be received, by the client shop.',
    ]);
    expect(await said(service({}, late(2)))).toEqual([expect.stringMatching(/^error: events: .*\(timeout\)/)]);
  });

  it('name the settings to compare if Keycloak refuses the credentials of the polling client (OP-02)', async () => {
    const refused = async (): Promise<Signals> => {
      throw AuthorizationServerError.answered(401, 'unauthorized_client');
    };
    expect(await said(service({}, refused))).toEqual([
      expect.stringMatching(
        /^error: Keycloak refuses the credentials of shop, the client that polls .*SIGNAL_POLLER_CLIENT_SECRET\)\.$/,
      ),
    ]);
  });

  it('report a healthy feed if only the second poll finds the feed healthy', async () => {
    let polls = 0;
    const late = async (): Promise<Signals> => ({ ...QUIET, isHealthy: (polls += 1) === 2 });
    expect((await said(service({}, late)))[0]).toMatch(/^ok/);
  });

  it('warn that the long TTL has no effect if the service receives no revocations', async () => {
    expect(await said(service({ introspectionTtlWithEventsSeconds: 300 }))).toEqual([
      expect.stringMatching(/^warning: introspectionTtlWithEventsSeconds \(300 s\) has no effect/),
    ]);
  });

  it('say how long a revoked token may be accepted while Keycloak is away', async () => {
    expect(await said(service({ introspectionStaleIfErrorSeconds: 60 }))).toEqual([
      expect.stringMatching(/^note: While Keycloak is away, a revoked token may be accepted for 70 s/),
    ]);
    const jwt = service({ introspectionStaleIfErrorSeconds: 60, verification: 'jwt', jwt: jwtVerification() });
    expect(await said(jwt)).toEqual([expect.stringContaining('accept a token until it expires')]);
  });

  it('contain the window of expired results even if Keycloak is unreachable', async () => {
    const { issuers } = service({ introspectionStaleIfErrorSeconds: 60 }, async () => QUIET);
    expect(await feedFindings(issuers[0], [])).toMatchObject([
      { message: expect.stringContaining('accepted for 70 s') },
    ]);
  });

  const client = { id: '1', clientId: 'shop', hasServiceAccount: true } as RealmClient;
  const VIEW_EVENTS = roleKey('realm-management', 'view-events');
  const realm = (roles: readonly RoleKey[], settings: object = {}, kept?: number): RealmSnapshot =>
    ({
      clients: [client],
      settings: {
        unmanagedAttributes: 'DISABLED',
        events: {
          savesUserEvents: true,
          userEventsExpireSeconds: 3600,
          savesAdminEvents: true,
          adminEventsExpireSeconds: 3600,
          ...settings,
        },
        ...settings,
      },
      rolesOfServiceAccount: async () => new Set(roles),
      acknowledgedEvents: async () => kept,
    }) as unknown as RealmSnapshot;
  const saidOf = async (keycloak: ComposedKeycloak, snapshot: RealmSnapshot): Promise<string> =>
    (await signalRealmFindings(snapshot, keycloak.issuers[0])).map(({ message }) => message).join('\n');

  it('warn if the service account has view-events and the service calls other services', async () => {
    const keycloak = service({}, async () => QUIET);
    expect(await saidOf(keycloak, realm([VIEW_EVENTS]))).toBe('');
    keycloak.service('next', { baseUrl: 'https://next.example.com', audience: 'next', scopes: ['x'] });
    expect(await saidOf(keycloak, realm([roleKey(null, 'realm-management.view-events')]))).toBe('');
    expect(await saidOf(keycloak, realm([VIEW_EVENTS]))).toMatch(
      /has view-events, and each service that it calls receives its tokens/,
    );
  });

  it('say nothing about the roles of a client without a service account', async () => {
    const keycloak = service();
    keycloak.service('next', { baseUrl: 'https://next.example.com', audience: 'next', scopes: ['x'] });
    const unseen = (hasServiceAccount: boolean): RealmSnapshot => ({
      ...realm([]),
      clients: [{ ...client, hasServiceAccount }],
      rolesOfServiceAccount: async () => undefined,
    });
    expect(await saidOf(keycloak, unseen(false))).toBe('');
    expect(await saidOf(keycloak, unseen(true))).toBe(
      "This administrator may not see the roles of shop's service account (view-users), so doctor does not know whether it has view-events.",
    );
  });

  it('warn if Keycloak never deletes events, and if users can exclude themselves from the feed', async () => {
    const keycloak = service({}, async () => QUIET);
    expect(await saidOf(keycloak, realm([], { userEventsExpireSeconds: 0 }))).toMatch(/saves user events and never/);
    expect(await saidOf(keycloak, realm([], { adminEventsExpireSeconds: 0 }))).toMatch(/saves admin events and never/);
    expect(await saidOf(keycloak, realm([], {}, 49_999))).toBe('');
    expect(await saidOf(keycloak, realm([], {}, 60_000))).toMatch(/keeps 60000 security events that shop/);
    const unmanaged = realm([], { unmanagedAttributes: 'ENABLED' });
    expect(
      await saidOf(
        service({}, async () => QUIET, 'shared_signals'),
        unmanaged,
      ),
    ).toMatch(/can exclude themselves/);
    // Keycloak's event log contains the events of every user, so doctor does not warn about excluded users.
    expect(await saidOf(keycloak, unmanaged)).toBe('');
    expect(await saidOf(service(), unmanaged)).toBe('');
  });
});
