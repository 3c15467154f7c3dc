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
   * user id.
   */
  readonly subject: string;
  /** The claim `client_id` in `act`, if the token has it. */
  readonly clientId?: string;
  /** The nested `act`: the party that acted before this actor. A chain has at most eight actors. */
  readonly previous?: Actor;
}

/** Returns undefined for a malformed `act`. */
export function readActor(act: unknown, left = MAX_ACTORS): Actor | undefined {
  if (left === 0 || typeof act !== 'object' || act === null || Array.isArray(act)) return undefined;
  const [issuer, subject, clientId, nested] = ['iss', 'sub', 'client_id', 'act'].map((name) => ownProperty(act, name));
  if (!isName(subject) || !isAbsentOrName(issuer) || !isAbsentOrName(clientId)) return undefined;
  const previous = nested === undefined ? undefined : readActor(nested, left - 1);
  if (nested !== undefined && previous === undefined) return undefined;
  return Object.freeze({
    ...(issuer === undefined ? {} : { issuer }),
    subject,
    ...(clientId === undefined ? {} : { clientId }),
    ...(previous === undefined ? {} : { previous }),
  });
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH;

const isAbsentOrName = (value: unknown): value is string | undefined => value === undefined || isName(value);

/** Returns the log field `actor`, whose members have the names of the caller's fields. */
export function actorField(actor: Actor | undefined): Readonly<Record<string, unknown>> {
  if (actor === undefined) return {};
  const { issuer: iss, subject: sub, clientId: azp, previous } = actor;
  const names = { ...(iss === undefined ? {} : { iss }), ...(azp === undefined ? {} : { azp }) };
  return { actor: { ...names, sub, ...actorField(previous) } };
}
