import { ownProperty } from './claims.js';

/** Keycloak 26.8 issues chains of at most eight actors. */
const MAX_ACTORS = 8;

/** OpenID Connect Core 1.0 §2 allows 255 characters for `sub`. */
const MAX_LENGTH = 255;

/**
 * A party that acts for the subject of a token (RFC 8693 §4.1), such as an administrator who impersonates a user. Each
 * text has at most 255 characters.
 */
export interface Actor {
  /** The claim `iss` in `act`, if the token has it. */
  readonly issuer?: string;
  /**
   * The claim `sub` in `act`. In an introspection result, Keycloak before 26.8 puts the user name here, and not the
   * user id. Another server may omit `sub` for a client.
   */
  readonly subject?: string;
  /** The claim `client_id` in `act`, if the token has it. An actor has a subject or a client id. */
  readonly clientId?: string;
  /** The nested `act`: the party that acted before this actor. A chain has at most eight actors. */
  readonly previous?: Actor;
}

export function readActor(act: unknown, left = MAX_ACTORS): Actor | undefined {
  if (left === 0 || typeof act !== 'object' || act === null || Array.isArray(act)) return undefined;
  const [issuer, subject, clientId, nested] = ['iss', 'sub', 'client_id', 'act'].map((name) => ownProperty(act, name));
  if (![issuer, subject, clientId].every(isAbsentOrName) || (subject ?? clientId) === undefined) return undefined;
  const previous = nested === undefined ? undefined : readActor(nested, left - 1);
  if (nested !== undefined && previous === undefined) return undefined;
  return Object.freeze(present({ issuer, subject, clientId, previous }) as Actor);
}

const isAbsentOrName = (value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH);

const present = (members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** The members of `actor` have the same names as the caller's fields. */
export function actorField(actor: Actor | undefined): Readonly<Record<string, unknown>> {
  if (actor === undefined) return {};
  const { issuer: iss, subject: sub, clientId: azp, previous } = actor;
  return { actor: { ...present({ iss, azp, sub }), ...actorField(previous) } };
}
