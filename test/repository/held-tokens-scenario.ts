/** Uses all caches of the library, and prints which tokens are still in memory afterwards. */
import { randomBytes } from 'node:crypto';
import { CachedIntrospection } from '../../libs/keycloak/src/authorization-server/cached-introspection.js';
import { TokenSource } from '../../libs/keycloak/src/client/token-source.js';
import { TokenSourceLog } from '../../libs/keycloak/src/client/token-source-log.js';
import { tokenExchangeRequest } from '../../libs/keycloak/src/client/token-request.js';
import { AuthorizationServerError } from '../../libs/keycloak/src/protocol/authorization-server-error.js';
import { BearerError } from '../../libs/keycloak/src/protocol/bearer-error.js';
import type { IntrospectionAnswer } from '../../libs/keycloak/src/protocol/claims.js';
import { tokenHash } from '../../libs/keycloak/src/protocol/token-hash.js';
import { IssuedToken } from '../../libs/keycloak/src/protocol/issued-token.js';
import { TOKEN_PROFILES } from '../../libs/keycloak/src/protocol/token-profile.js';
import { makeAccessTokenVerifier } from '../../libs/keycloak/src/resource-server/access-token-verifier.js';
import { RevocationList } from '../../libs/keycloak/src/revocation/revocation-list.js';
import { foundInHeap } from './heap-search.js';
import { atOnce } from '../../libs/keycloak/spec-support/at-once.js';
import { endpointOf, type TokenForm } from '../../libs/keycloak/spec-support/token-forms.js';
import { StillClock } from '../../libs/keycloak/spec-support/still-clock.js';
import { IssuerVerifier } from '../../libs/keycloak/src/resource-server/issuer-verifier.js';
import { HeldDenials } from '../../libs/keycloak/src/revocation/held-denials.js';
import { Rechecks } from '../../libs/keycloak/src/revocation/rechecks.js';

const ISSUER = 'https://sso.example.com/realms/shop';
const CLIENT = 'service-b';
const SCOPE = 'orders.read';
const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** Builds a token from random bytes at each use, so the program does not keep the token. */
const tokenOf = (mark: Buffer): string => `${base64url('{"alg":"RS256"}')}.${mark.toString('hex')}.${base64url('s')}`;

const KINDS = ['active', 'known', 'inactive', 'failing', 'denied', 'exchanged', 'refused', 'issued'] as const;
type Kind = (typeof KINDS)[number];
const marks = Object.fromEntries(KINDS.map((kind) => [kind, randomBytes(16)])) as Record<
  (typeof KINDS)[number],
  Buffer
>;
const kindOf = (token: string) => KINDS.find((kind) => tokenHash(tokenOf(marks[kind])) === tokenHash(token));

/** Functions simulate the authorization server, because a real server would keep tokens in this process. */
function setUp() {
  const clock = new StillClock();
  const introspect = async (token: string): Promise<IntrospectionAnswer> => {
    const kind = kindOf(token);
    if (kind === 'inactive') return { active: false };
    if (kind === 'failing')
      throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
    const exp = clock.date + 1000;
    return { active: true, iss: ISSUER, sub: kind, aud: CLIENT, azp: 'app', typ: 'Bearer', exp, scope: SCOPE };
  };
  const request = async (form: TokenForm): Promise<IssuedToken> => {
    const subject = 'subject_token' in form ? kindOf(form.subject_token) : undefined;
    if (subject === 'refused') throw new BearerError('invalid_token', { reason: 'subject_token_refused' });
    return new IssuedToken(tokenOf(marks.issued), [SCOPE], 100);
  };
  const bounds = { maxRevocations: 10, revocationRetentionSeconds: 1000, clockToleranceSeconds: 5 };
  const denials = new HeldDenials(bounds, clock, { warn: () => undefined });
  const revocations = new RevocationList([{ issuer: ISSUER, denials, rechecks: new Rechecks(10_000, clock) }]);
  const tokens = new TokenSource(
    endpointOf(request),
    { issuer: ISSUER, clientId: CLIENT, minRemainingLifetimeSeconds: 10, maxCachedTokens: 10 },
    clock,
    new TokenSourceLog({ log: () => undefined }),
    revocations,
  );
  const introspection = new CachedIntrospection(
    { introspect, renew: introspect },
    { issuer: ISSUER, introspectionTtlSeconds: 10, maxCachedIntrospections: 10 },
    clock,
    (hash) => tokens.dropExchangedFrom(hash),
  );
  const { clockToleranceSeconds } = bounds;
  const verifierOptions = { issuer: ISSUER, audience: CLIENT, clockToleranceSeconds, mapPermissions: undefined };
  const ofIssuer = new IssuerVerifier(
    introspection,
    { ...verifierOptions, profile: TOKEN_PROFILES.keycloak },
    clock,
    denials,
  );
  const options = { clockToleranceSeconds, maxTokenBytes: 8192 };
  const verifier = makeAccessTokenVerifier([ofIssuer], options, clock, revocations);
  return { clock, introspection, revocations, tokens, verifier };
}

const { clock, introspection, revocations, tokens, verifier } = setUp();
const verify = (mark: Buffer) => verifier.verify(tokenOf(mark));
const exchange = async (mark: Buffer): Promise<unknown> =>
  (async () => tokens.get(tokenExchangeRequest(await verify(mark), 'service-c', SCOPE)))().catch(() => undefined);

await verify(marks.active);
for (let time = 0; time < 3; time += 1) await verify(marks.known);
await verify(marks.inactive).catch(() => undefined);
await verify(marks.failing).catch(() => undefined);
revocations.deny({ tokenHash: (await verify(marks.denied)).hash });
await verify(marks.denied).catch(() => undefined);
await exchange(marks.exchanged);
clock.advance(85);
await exchange(marks.exchanged);
await exchange(marks.refused);
for (const kind of ['active', 'known', 'denied', 'inactive'] as const) await verify(marks[kind]).catch(() => undefined);

const found = await foundInHeap(KINDS.map((kind) => marks[kind]));

// Reads the caches after the search, to show that the entries were cached during the search.
const cached = (kind: Kind) => atOnce(introspection.introspect(tokenOf(marks[kind]), Infinity))?.['active'];
const exchanged = atOnce(tokens.get(tokenExchangeRequest(await verify(marks.exchanged), 'service-c', SCOPE)));
const kept = {
  active: cached('active'),
  known: cached('known'),
  inactive: cached('inactive'),
  denials: revocations.size,
  exchanged: exchanged?.reveal() === tokenOf(marks.issued),
};
console.log(JSON.stringify({ held: KINDS.filter((_, at) => found[at]), kept }));
