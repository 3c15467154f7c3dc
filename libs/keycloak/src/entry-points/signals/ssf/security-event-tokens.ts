import { jsonObjectOf } from '../../jws/json-object.js';
import { readJwsHeader, type JwsHeader, type RefusedHeader } from '../../jws/jws-header.js';
import type { PublishedKey } from '../../jws/published-key.js';
import { signedPayload } from '../../jws/signed-payload.js';
import { SIGNING_ALGORITHMS } from '../../jws/signing-algorithms.js';
import { SigningKeys } from '../../jws/signing-keys.js';
import { AuthorizationServerError, isCompactJws, type Clock, type ComponentLog } from '../../ports/signals.js';
import { readSetClaims, type SetClaims, type SetRecipient, type SetRefusal } from './set-claims.js';

export type CheckedSet = SetClaims | SetRefusal | 'undecided';

const MAX_KEY_AGE_SECONDS = 600;

const READ_AGAIN_MS = 30_000;

const MAX_LENGTH = 100_000;

const ALGORITHMS: ReadonlySet<string> = new Set(SIGNING_ALGORITHMS);

/**
 * The type of a security event token (SSF 1.0 §4.1.1), in any letter case, with or without `application/` (RFC 7515
 * §4.1.9). Without a check of the type, the service could accept another kind of token.
 */
const SET_TYPE = /^(?:application\/)?secevent\+jwt$/i;

const isSetType = (typ: unknown): boolean => typeof typ === 'string' && SET_TYPE.test(typ);

interface Parts {
  readonly readKeys: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

export class SecurityEventTokens {
  readonly #keys: SigningKeys;
  readonly #clock: Clock;
  #readAtMs = -Infinity;

  constructor({ readKeys, clock, log }: Parts) {
    this.#clock = clock;
    const read = async (): Promise<unknown> => {
      this.#readAtMs = clock.monotonicMs();
      return readKeys();
    };
    this.#keys = new SigningKeys({ readKeys: read, clock, log }, { maxKeyAgeSeconds: MAX_KEY_AGE_SECONDS });
  }

  async ready(): Promise<void> {
    await this.#keys.usable();
  }

  /**
   * Checks the claims before the signature, so that only a token with valid claims causes a key lookup. `now` is in
   * seconds since the epoch, by the server's clock.
   */
  async check(token: unknown, recipient: SetRecipient, now: number): Promise<CheckedSet> {
    if (typeof token !== 'string' || !isCompactJws(token)) return 'token_malformed';
    if (token.length > MAX_LENGTH) return 'token_too_long';
    const header = readJwsHeader(token, ALGORITHMS, isSetType);
    if ('reason' in header) return refusalOf(header);
    const members = jsonObjectOf(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
    if (members === undefined) return 'token_malformed';
    const claims = readSetClaims(members, recipient, now);
    if (typeof claims === 'string') return claims;
    try {
      return (await this.#signatureFault(token, header)) ?? claims;
    } catch (error) {
      if (error instanceof AuthorizationServerError) return 'undecided';
      throw error;
    }
  }

  async #signatureFault(token: string, header: JwsHeader): Promise<SetRefusal | 'undecided' | undefined> {
    const key = await this.#keyOf(header);
    if (typeof key === 'string') return key;
    const payload = await signedPayload(key, header, token);
    if (typeof payload === 'string') return payload;
    // The issuer may have withdrawn the key during the verification.
    return key.isPublished ? undefined : 'undecided';
  }

  async #keyOf({ keyId, algorithm }: JwsHeader): Promise<PublishedKey | SetRefusal | 'undecided'> {
    const nowMs = this.#clock.monotonicMs();
    let keys = this.#keys.current(nowMs);
    if (keys?.has(keyId) !== true || keys.isFaulty(keyId)) {
      if (nowMs < this.#readAtMs + READ_AGAIN_MS) return 'undecided';
      keys = await this.#keys.newer();
    }
    if (!keys.has(keyId)) return 'undecided';
    return keys.find(keyId, algorithm) ?? 'algorithm_not_allowed';
  }
}

const refusalOf = ({ reason }: RefusedHeader): SetRefusal =>
  reason === 'other_type' ? 'not_a_security_event_token' : reason;
