import type { AttackAnswer } from 'demo';
import type { AttackGroup } from './attack-groups.js';

export interface Attack {
  readonly id: AttackId;
  readonly title: string;
  readonly hope: string;
  readonly rule: string;
  readonly group: AttackGroup;
  readonly from: 'Service A' | 'Service B' | 'Service C';
  readonly refusals: readonly [DueRefusal, ...DueRefusal[]];
}

export interface DueRefusal {
  readonly answer: AttackAnswer;
  readonly by: string;
  readonly words: string;
}

export type AttackId =
  | 'no-token'
  | 'token-at-c'
  | 'token-back-at-a'
  | 'exchanged-token-at-a'
  | 'exchanged-token-at-b'
  | 'permission-not-assigned'
  | 'bob-approves'
  | 'ordinary-login'
  | 'exchange-by-c'
  | 'revoked-token'
  | 'expired-token'
  | 'disabled-user'
  | 'tampered-signature'
  | 'alg-none'
  | 'id-token'
  | 'token-in-query';

const INACTIVE: AttackAnswer = { status: 401, code: 'invalid_token', reason: 'inactive' };

/**
 * Usually Keycloak reports a token for another service as inactive. A service that verifies signatures must detect the
 * wrong audience itself. With Keycloak 26.4 and 26.5, every service must check the audience itself.
 */
const atWrongService = (at: string, madeFor: string): readonly [DueRefusal, DueRefusal] => [
  {
    answer: INACTIVE,
    by: 'Keycloak',
    words: `Keycloak calls it inactive when ${at} asks, since it is for ${madeFor}.`,
  },
  {
    answer: { ...INACTIVE, reason: 'other_audience' },
    by: `${at} itself`,
    words: `${at} sees that it is for ${madeFor}.`,
  },
];

export const ATTACKS: readonly Attack[] = [
  {
    id: 'token-at-c',
    group: 'wrong-service',
    title: 'The token for Service B, at Service C',
    hope: 'A token stolen from Service A opens every service behind it.',
    rule: 'A token is valid for its audience alone.',
    from: 'Service A',
    refusals: atWrongService('Service C', 'Service B'),
  },
  {
    id: 'token-back-at-a',
    group: 'wrong-service',
    title: 'The token for Service B, at Service A',
    hope: 'An attacker who takes a token from Service B can use it at Service A.',
    rule: 'A token is valid for its audience alone, and not for the service that requested it.',
    from: 'Service A',
    refusals: atWrongService('Service A', 'Service B'),
  },
  {
    id: 'exchanged-token-at-a',
    group: 'wrong-service',
    title: 'The token for Service C, at Service A',
    hope: 'The token that Service B got for Service C opens the services before it as well.',
    rule: 'An exchanged token names one audience: the next service.',
    from: 'Service B',
    refusals: atWrongService('Service A', 'Service C'),
  },
  {
    id: 'exchanged-token-at-b',
    group: 'wrong-service',
    title: 'The token for Service C, at Service B',
    hope: 'The token that Service B got for Service C opens Service B too.',
    rule: 'An exchanged token names one audience: the next service.',
    from: 'Service B',
    refusals: atWrongService('Service B', 'Service C'),
  },
  {
    id: 'permission-not-assigned',
    group: 'wrong-permission',
    title: 'Service A asks for inventory.adjust',
    hope: 'Service A has the role for it, so Keycloak gives it the permission.',
    rule: 'A client gets only permissions that are assigned to it, whatever its roles are.',
    from: 'Service A',
    refusals: [
      {
        answer: { status: 400, code: 'invalid_scope', reason: 'Invalid scopes: inventory.adjust' },
        by: 'Keycloak',
        words: 'Keycloak gave Service A no token with this permission.',
      },
    ],
  },
  {
    id: 'bob-approves',
    group: 'wrong-permission',
    title: 'bob asks for more than he may',
    hope: 'Service A may approve orders, so bob can through Service A.',
    rule: 'The chain acts as the user: Keycloak exchanges his token for no permission that he lacks.',
    from: 'Service A',
    refusals: [
      {
        answer: {
          status: 403,
          code: 'insufficient_scope',
          permission: 'orders.approve',
          reason: 'permission_not_granted_to_subject',
        },
        by: 'Keycloak',
        words: "Keycloak does not exchange bob's token for one with this permission.",
      },
    ],
  },
  {
    id: 'ordinary-login',
    group: 'wrong-permission',
    title: "alice's ordinary token asks for a refund",
    hope: 'alice may refund orders, so a token stolen from her can, too.',
    rule: 'A refund demands that the password was entered again, a few minutes ago at most (RFC 9470). The token says how its user logged in.',
    from: 'Service A',
    refusals: [
      {
        answer: { status: 401, code: 'insufficient_user_authentication', reason: 'authentication_too_weak' },
        by: 'Service A itself',
        words:
          'Keycloak calls the token active, and says of it that alice logged in at level 1; the refund demands level 2.',
      },
    ],
  },
  {
    id: 'exchange-by-c',
    group: 'wrong-permission',
    title: 'Service C exchanges its token',
    hope: 'An attacker in Service C can exchange the token that it was called with for one that opens Service B.',
    rule: 'Only clients that call other services may exchange tokens; Service C is the end of the chain.',
    from: 'Service C',
    refusals: [
      {
        answer: {
          status: 400,
          code: 'invalid_request',
          reason: 'Standard token exchange is not enabled for the requested client',
        },
        by: 'Keycloak',
        words: 'Keycloak exchanges no token for Service C.',
      },
    ],
  },
  {
    id: 'revoked-token',
    group: 'ended',
    title: 'A token that was revoked a moment ago',
    hope: 'A revoked token still works until it expires.',
    rule: 'Service B asks Keycloak about every new token, and reuses the answer for at most INTROSPECTION_TTL_SECONDS (default 10). It sees this token for the first time. With TOKEN_VERIFICATION=jwt it does not ask, so the token passes until it expires.',
    from: 'Service A',
    refusals: [
      {
        answer: INACTIVE,
        by: 'Keycloak',
        words: 'Keycloak calls it inactive when Service B asks, since it was revoked.',
      },
    ],
  },
  {
    id: 'expired-token',
    group: 'ended',
    title: 'A token that has expired',
    hope: 'A cached answer about a token outlives the token.',
    rule: 'No answer about a token is reused after the token has expired, and Keycloak then calls it inactive.',
    from: 'Service A',
    refusals: [
      {
        answer: INACTIVE,
        by: 'Keycloak',
        words: 'Keycloak calls it inactive when Service A asks, since it has expired.',
      },
      {
        answer: { ...INACTIVE, reason: 'expired' },
        by: 'Service A itself',
        words: 'Service A sees that it has expired.',
      },
    ],
  },
  {
    id: 'disabled-user',
    group: 'ended',
    title: 'A token that every service knew a moment ago, its user disabled',
    hope: 'The services have just accepted it, so none of them asks about it again.',
    rule: 'A service with a signal feed refuses it within a second or so. A service without one asks Keycloak again after INTROSPECTION_TTL_SECONDS (default 10). With TOKEN_VERIFICATION=jwt and no feed, the token passes until it expires.',
    from: 'Service A',
    refusals: [
      {
        answer: INACTIVE,
        by: 'Keycloak, at all three services',
        words: 'Keycloak calls it inactive when a service asks again, since its user is disabled.',
      },
    ],
  },
  {
    id: 'no-token',
    group: 'forged',
    title: 'No token at all',
    hope: 'The services trust every caller on the internal network.',
    rule: 'A route is closed to requests without credentials, wherever they come from.',
    from: 'Service A',
    refusals: [
      {
        answer: { status: 401, code: 'missing_token', reason: 'no_credentials' },
        by: 'Service B itself',
        words: 'Service B refuses a request without a token before it asks Keycloak.',
      },
    ],
  },
  {
    id: 'tampered-signature',
    group: 'forged',
    title: 'A token with another signature',
    hope: 'No service checks the signature, so the claims can be rewritten.',
    rule: 'Keycloak checks the signature whenever a service asks about a token, or the service checks it itself.',
    from: 'Service A',
    refusals: [
      {
        answer: INACTIVE,
        by: 'Keycloak',
        words: 'Keycloak calls it inactive when Service B asks, since the signature is wrong.',
      },
      {
        answer: { ...INACTIVE, reason: 'signature_invalid' },
        by: 'Service B itself',
        words: 'Service B checks the signature, and it is wrong.',
      },
    ],
  },
  {
    id: 'alg-none',
    group: 'forged',
    title: 'A token without signature (alg: none)',
    hope: 'A service believes a token that says it needs no signature, with inventory.adjust written into it.',
    rule: 'A token without a signature is refused before Keycloak is asked; Keycloak accepts its own algorithms only.',
    from: 'Service A',
    refusals: [
      {
        answer: { status: 401, code: 'invalid_token', reason: 'token_malformed' },
        by: 'Service B itself',
        words: 'Service B refuses a token without a signature before it asks Keycloak.',
      },
    ],
  },
  {
    id: 'id-token',
    group: 'forged',
    title: 'An ID token instead of an access token',
    hope: 'An ID token is signed by Keycloak, is active, and names Service A as its audience, so it is accepted.',
    rule: 'Only access tokens are accepted: the token type that Keycloak states is checked too.',
    from: 'Service A',
    refusals: [
      {
        answer: { status: 401, code: 'invalid_token', reason: 'not_an_access_token' },
        by: 'Service A itself',
        words: 'Keycloak signed the token, and may call it active, but it is not an access token.',
      },
    ],
  },
  {
    id: 'token-in-query',
    group: 'forged',
    title: 'A valid token, in the URL',
    hope: 'A token in the query is accepted, so a URL from a log or a browser history can be used directly.',
    rule: 'A token is read from the Authorization header only.',
    from: 'Service A',
    refusals: [
      {
        answer: { status: 401, code: 'missing_token', reason: 'token_in_query' },
        by: 'Service B itself',
        words: 'Service B reads no token from a URL.',
      },
    ],
  },
];

export const attackOf = (id: string): Attack | undefined => ATTACKS.find((attack) => attack.id === id);
