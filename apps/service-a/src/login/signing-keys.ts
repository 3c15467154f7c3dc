/** SigningKeys: the public keys that Keycloak signs ID tokens and logout tokens with, read anew when a token names another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { unavailable } from './openid-errors.js';

/** Of keys that are public: whoever knows our secret must not make a token, and `none` is no signature. */
export const SIGNING_ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Between the beginnings of two readings. A rotation costs a login no more than this, and anybody's junk Keycloak no more calls. */
const COOL_DOWN_MS = 1000;
/** A key that Keycloak took back counts no longer than this. */
const MAX_AGE_MS = 600_000;

/** Monotonic milliseconds, and a pause of some. */
export interface KeysClock {
  nowMs(): number;
  wait(ms: number): Promise<unknown>;
}

const SYSTEM: KeysClock = { nowMs: () => performance.now(), wait: sleep };

/**
 * Anybody may send us a token that names a key which is not there. So the keys are read at most once in a second, however
 * many ask; but nobody is refused because others asked a moment ago: who wants a reading in the cool-down waits for the next
 * one, together with all others. A reading that began before a token came says nothing of that token's key.
 */
export class SigningKeys {
  #keys: JWTVerifyGetKey | undefined;
  #readAtMs = -Infinity;
  #begunAtMs = -Infinity;
  #underWay: Promise<JWTVerifyGetKey> | undefined;
  /** Has not begun yet, so that it serves everybody who wants one now. */
  #next: Promise<JWTVerifyGetKey> | undefined;

  /** `read`: the key set as Keycloak has it now (RFC 7517 §5). Throws `AuthorizationServerError`. */
  constructor(
    private readonly read: () => Promise<unknown>,
    private readonly clock: KeysClock = SYSTEM,
  ) {}

  /**
   * The key that a token's header names. Throws `AuthorizationServerError` when the keys can't be had, and
   * `JWKSNoMatchingKey` when Keycloak, asked after the token came, has no such key.
   */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    if (this.#keys !== undefined && this.clock.nowMs() - this.#readAtMs < MAX_AGE_MS) {
      try {
        return await this.#keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      }
    }
    this.#next ??= this.#readNext();
    return (await this.#next)(header, token);
  };

  async #readNext(): Promise<JWTVerifyGetKey> {
    await this.#underWay?.catch(() => undefined);
    const coolDown = this.#begunAtMs + COOL_DOWN_MS - this.clock.nowMs();
    if (coolDown > 0) await this.clock.wait(coolDown);
    this.#next = undefined;
    this.#begunAtMs = this.clock.nowMs();
    this.#underWay = this.#readNow();
    return this.#underWay;
  }

  async #readNow(): Promise<JWTVerifyGetKey> {
    const begunAtMs = this.#begunAtMs;
    const keys = localKeys(await this.read());
    this.#readAtMs = begunAtMs;
    this.#keys = keys;
    return keys;
  }
}

function localKeys(set: unknown): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(set as JSONWebKeySet);
  } catch {
    throw unavailable('signing_keys_malformed');
  }
}
