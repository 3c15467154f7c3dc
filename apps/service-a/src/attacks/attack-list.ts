/** Attack list: every attack of the demonstration in words, and the one refusal that it must meet. */
import type { AttackAnswer } from 'demo';

export interface Attack {
  /** Its path. */
  readonly id: AttackId;
  readonly title: string;
  /** What whoever tries it hopes for. */
  readonly hope: string;
  /** What should refuse it. */
  readonly rule: string;
  /** The service that rightfully holds what is misused, and so makes the attempt. */
  readonly from: 'Service A' | 'Service B' | 'Service C';
  readonly expected: AttackAnswer;
}

export type AttackId =
  | 'no-token'
  | 'token-at-c'
  | 'token-back-at-a'
  | 'exchanged-token-at-a'
  | 'exchanged-token-at-b'
  | 'permission-not-assigned'
  | 'bob-approves'
  | 'exchange-by-c'
  | 'revoked-token'
  | 'expired-token'
  | 'tampered-signature'
  | 'alg-none'
  | 'id-token'
  | 'token-in-query';

/** Keycloak says no more of a token that is not good for who asks. Why it is not, the control shows. */
const INACTIVE: AttackAnswer = { status: 401, code: 'invalid_token', reason: 'inactive' };

export const ATTACKS: readonly Attack[] = [
  {
    id: 'no-token',
    title: 'No token at all',
    hope: 'The services trust whoever reaches them on the inner network.',
    rule: 'A route is closed to requests without credentials, wherever they come from.',
    from: 'Service A',
    expected: { status: 401, code: 'missing_token', reason: 'no_credentials' },
  },
  {
    id: 'token-at-c',
    title: "Service A's token, at Service C",
    hope: 'A token stolen from Service A opens every service behind it.',
    rule: 'A token is good for its audience alone: Keycloak calls it inactive when any other service asks.',
    from: 'Service A',
    expected: INACTIVE,
  },
  {
    id: 'token-back-at-a',
    title: 'The same token, back at Service A',
    hope: 'Whoever takes a token from Service B can turn round and act at Service A.',
    rule: 'A token is good for its audience alone, and not for the service that asked for it.',
    from: 'Service A',
    expected: INACTIVE,
  },
  {
    id: 'exchanged-token-at-a',
    title: 'The exchanged token, at Service A',
    hope: 'The token that Service B got for Service C opens the services before it as well.',
    rule: 'An exchanged token names one audience: the next service.',
    from: 'Service B',
    expected: INACTIVE,
  },
  {
    id: 'exchanged-token-at-b',
    title: 'The exchanged token, at Service B itself',
    hope: 'The token that Service B got for Service C opens Service B too.',
    rule: 'An exchanged token names one audience: the next service.',
    from: 'Service B',
    expected: INACTIVE,
  },
  {
    id: 'permission-not-assigned',
    title: 'Service A asks for inventory.adjust',
    hope: 'Service A has the role for it, so Keycloak gives it the permission.',
    rule: 'A client gets only permissions that are assigned to it, whatever its roles are.',
    from: 'Service A',
    expected: { status: 400, code: 'invalid_scope', reason: 'Invalid scopes: inventory.adjust' },
  },
  {
    id: 'bob-approves',
    title: 'bob asks for what he may not',
    hope: 'Service A may approve orders, so bob can through Service A.',
    rule: 'The chain acts as the user: Keycloak exchanges his token for no permission that he lacks.',
    from: 'Service A',
    expected: {
      status: 403,
      code: 'insufficient_scope',
      permission: 'orders.approve',
      reason: 'permission_not_granted_to_subject',
    },
  },
  {
    id: 'exchange-by-c',
    title: 'Service C exchanges its token',
    hope: 'Whoever holds Service C can trade the token that it was called with for one that opens Service B.',
    rule: 'Only clients that call further may exchange tokens; Service C is the end of the chain.',
    from: 'Service C',
    expected: {
      status: 400,
      code: 'invalid_request',
      reason: 'Standard token exchange is not enabled for the requested client',
    },
  },
  {
    id: 'revoked-token',
    title: 'A token that was revoked a moment ago',
    hope: 'A revoked token works on until it expires.',
    rule: 'Keycloak is asked about every token. Service B reuses an answer for INTROSPECTION_TTL_SECONDS at most (10 unless set otherwise): a token that it knew before can pass for that long, this one it sees for the first time.',
    from: 'Service A',
    expected: INACTIVE,
  },
  {
    id: 'expired-token',
    title: 'A token that has expired',
    hope: 'A token of which an answer is still remembered is good for longer than it lives.',
    rule: 'No answer about a token is reused past its expiry, and Keycloak calls it inactive then.',
    from: 'Service A',
    expected: INACTIVE,
  },
  {
    id: 'tampered-signature',
    title: 'A token with another signature',
    hope: 'Nobody looks at the signature, so the claims can be rewritten.',
    rule: 'Keycloak checks its own signature whenever it is asked about a token.',
    from: 'Service A',
    expected: INACTIVE,
  },
  {
    id: 'alg-none',
    title: 'A token without signature (alg: none)',
    hope: 'A token that says it needs no signature is believed, with inventory.adjust written into it.',
    rule: 'A token has a signature: what has none is refused before Keycloak, which takes its own algorithm alone, is asked.',
    from: 'Service A',
    expected: { status: 401, code: 'invalid_token', reason: 'token_malformed' },
  },
  {
    id: 'id-token',
    title: 'An ID token in place of an access token',
    hope: 'An ID token is signed by Keycloak, active, and names Service A as its audience: it must do.',
    rule: 'Only access tokens are taken: the kind that Keycloak states is checked beside the rest.',
    from: 'Service A',
    expected: { status: 401, code: 'invalid_token', reason: 'not_an_access_token' },
  },
  {
    id: 'token-in-query',
    title: 'A good token, in the address',
    hope: 'A token in the query is taken, so one from a log or a browser history can be used as it stands.',
    rule: 'A token is read from the Authorization header, and from nowhere else.',
    from: 'Service A',
    expected: { status: 401, code: 'missing_token', reason: 'token_in_query' },
  },
];

export const attackOf = (id: string): Attack | undefined => ATTACKS.find((attack) => attack.id === id);
