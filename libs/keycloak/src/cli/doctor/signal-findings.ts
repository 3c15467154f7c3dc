import { error, note, ok, warning, type Finding } from '../../checkup/finding.js';
import type { ComposedIssuer } from '../../module/compose-issuer.js';
import { hostNameFinding } from './host-name-finding.js';
import { clientNamed } from '../administrator/realm-lookup.js';
import { roleKey } from '../administrator/role-key.js';
import type { RealmClient, RealmSnapshot } from '../administrator/realm-snapshot.js';

const VIEW_EVENTS = roleKey('realm-management', 'view-events');

/** A missing stream is not a fault, because the service creates its stream at the start. */
const NOT_MADE = 'stream_not_made';

const SHARED_SIGNALS = 'shared_signals';

type Examined = Pick<ComposedIssuer, 'feed' | 'options' | 'fetch' | 'realmUrl' | 'issuer'>;

export async function signalFindings(own: Examined): Promise<Finding[]> {
  const { feed, options } = own;
  const ofSources = await Promise.all(
    feed.sources.map(async ({ name, clientId, tryOnce }) => {
      const first = await tryOnce();
      // A busy machine can cause one time-out.
      const fault = first?.reason === 'timeout' ? await tryOnce() : first;
      if (fault === undefined)
        return ok('signals', `${name}: revocations would be received, by the client ${clientId}.`);
      if (fault.reason === NOT_MADE)
        return note(
          'signals',
          `${name}: the client ${clientId} has no stream yet. The service creates it when it starts.`,
        );
      const refused = REFUSED_CREDENTIALS.test(fault.reason) ? credentialsRefused(clientId, fault.reason) : undefined;
      return (
        refused ??
        error(
          'signals',
          `${name}: revocations would not be received by the client ${clientId} (${fault.reason}).`,
          fault.hint ?? 'Look up the reason in docs/refusals.md, and check which server answers.',
        )
      );
    }),
  );
  const ofHostName = options.profile === 'keycloak' && receivesSharedSignals(own) ? await hostNameFinding(own) : [];
  return [...ofSources, ...ofHostName];
}

/** Needs no request, so doctor reports these findings even if Keycloak is unreachable. */
export function signalSettingFindings({ feed, options }: Pick<ComposedIssuer, 'feed' | 'options'>): Finding[] {
  const hasFeed = feed.sources.length > 0;
  return [...unusedFinding(options, hasFeed), ...staleFinding(options), ...proofKeyFinding(options, hasFeed)];
}

/** Matches the reasons that mean a wrong secret, a disabled client or an unknown client. */
const REFUSED_CREDENTIALS = /^answered_40[01]_(invalid_client|unauthorized_client|invalid_request)$/;

const credentialsRefused = (clientId: string, reason: string): Finding =>
  error(
    'signals',
    `Keycloak refuses the credentials of ${clientId}, the client that polls for revocations (${reason}).`,
    `Check that the client exists in Keycloak and is enabled, and compare its secret (the client, Credentials) with \`client\` of RevocationEventsModule (SIGNAL_POLLER_CLIENT_SECRET).`,
  );

const receivesSharedSignals = ({ feed }: Pick<ComposedIssuer, 'feed'>): boolean =>
  feed.sources.some(({ name }) => name === SHARED_SIGNALS);

function unusedFinding(options: ComposedIssuer['options'], hasFeed: boolean): Finding[] {
  const { introspectionTtlWithEventsSeconds: longSeconds, revocationChannel } = options;
  if (longSeconds !== undefined && !hasFeed && revocationChannel === undefined) {
    return [
      warning(
        'signals',
        `introspectionTtlWithEventsSeconds (${longSeconds} s) has no effect, because this service receives no revocations.`,
        'Import RevocationEventsModule, or set a revocationChannel over which another process publishes revocations.',
      ),
    ];
  }
  return [];
}

function staleFinding(options: ComposedIssuer['options']): Finding[] {
  const { introspectionStaleIfErrorSeconds: stale } = options;
  const { introspectionTtlSeconds: ttl, introspectionTtlWithEventsSeconds: longTtl, verification } = options;
  if (stale === 0) return [];
  const withFeed = longTtl === undefined ? '' : ` With a feed, the time may be ${longTtl + stale} s for some causes.`;
  const ofSignatures =
    verification === 'jwt' ? ' Routes that only verify signatures accept a token until it expires.' : '';
  return [
    note(
      'signals',
      `While Keycloak is away, a revoked token may be accepted for ${ttl + stale} s: introspectionTtlSeconds (${ttl}) plus introspectionStaleIfErrorSeconds (${stale}).${withFeed}${ofSignatures}`,
    ),
  ];
}

/** A poller trusts its own key, so only services that do not poll must set public keys. */
function proofKeyFinding({ revocationChannel }: ComposedIssuer['options'], hasFeed: boolean): Finding[] {
  const keys = revocationChannel?.proofKeys?.();
  if (keys === undefined) return [];
  if (keys.publicKeys > 0) {
    const counted = `${keys.publicKeys} public ${keys.publicKeys === 1 ? 'key' : 'keys'}`;
    return [
      ok('signals', `Proofs of the revocationChannel are verified by ${counted}${hasFeed ? ', and signed here' : ''}.`),
    ];
  }
  return [
    warning(
      'signals',
      'This service has a revocationChannel but no public key of a poller. It accepts no proof, so it reuses cached answers for introspectionTtlSeconds only.',
      'Set proofs.publicKeysFile of valkeyRevocations() (SIGNAL_PROOF_PUBLIC_KEYS_FILE) to the public keys of the pollers.',
    ),
  ];
}

export async function signalRealmFindings(
  realm: RealmSnapshot,
  { feed, options, checkup }: Pick<ComposedIssuer, 'feed' | 'options' | 'checkup'>,
): Promise<Finding[]> {
  const own = clientNamed(realm, options.clientId);
  const findings = own === undefined || checkup.services.length === 0 ? [] : await wideTokens(realm, own);
  if (feed.sources.length === 0) return findings;
  const ofStreams = await Promise.all(feed.sources.map(async ({ clientId }) => streamFindings(realm, clientId)));
  return [
    ...findings,
    ...growthFindings(realm),
    ...ofStreams.flat(),
    ...(receivesSharedSignals({ feed }) ? selfExclusion(realm) : []),
  ];
}

/** The verifications of one stream add about 50,000 events in three days. */
const MANY_EVENTS = 50_000;

async function streamFindings(realm: RealmSnapshot, clientId: string): Promise<Finding[]> {
  const count = (await realm.acknowledgedEvents(clientId)) ?? 0;
  if (count < MANY_EVENTS) return [];
  return [
    warning(
      'signals',
      `The realm keeps ${count} security events that ${clientId} has acknowledged. Keycloak never deletes them.`,
      `Delete old events with the admin API: DELETE …/ssf/clients/${clientId}/events?status=DELIVERED&olderThan=PT24H.`,
    ),
  ];
}

/** A called service could use this service's token to read the event log. */
async function wideTokens(realm: RealmSnapshot, own: RealmClient): Promise<Finding[]> {
  if (!own.hasServiceAccount) return [];
  const roles = await realm.rolesOfServiceAccount(own);
  if (roles === undefined) {
    return [
      note(
        'signals',
        `This administrator may not see the roles of ${own.clientId}'s service account (view-users), so doctor does not know whether it has view-events.`,
      ),
    ];
  }
  if (!roles.has(VIEW_EVENTS)) return [];
  return [
    warning(
      'signals',
      `The service account of ${own.clientId} has view-events, and each service that it calls receives its tokens. These services may be able to read who logs in from where.`,
      'Give the role to a separate client, and name that client in RevocationEventsModule (`client`).',
    ),
  ];
}

function growthFindings({ settings: { events } }: RealmSnapshot): Finding[] {
  const unbounded = [
    ...(events.savesUserEvents && events.userEventsExpireSeconds <= 0 ? ['user events'] : []),
    ...(events.savesAdminEvents && events.adminEventsExpireSeconds <= 0 ? ['admin events'] : []),
  ];
  return unbounded.map((which) =>
    warning(
      'signals',
      `The realm saves ${which} and never deletes them, so the log grows without end.`,
      'Set an expiration (Realm settings, Events): an hour is enough for the feed.',
    ),
  );
}

function selfExclusion({ settings: { unmanagedAttributes } }: RealmSnapshot): Finding[] {
  if (unmanagedAttributes !== 'ENABLED') return [];
  return [
    warning(
      'signals',
      'Users may give themselves any attribute (unmanaged attributes). With ssf.notify.<client>, users can exclude themselves from Shared Signals.',
      'Switch unmanaged attributes off, or allow only administrators to write them.',
    ),
  ];
}
