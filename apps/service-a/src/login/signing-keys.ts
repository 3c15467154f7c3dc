import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { unavailable } from './openid-errors.js';

/** The list contains only asymmetric algorithms, so that nobody can sign a token with the client secret. */
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

const COOL_DOWN_MS = 1000;
/** The maximum time for which the service accepts a key that Keycloak has withdrawn. */
const MAX_AGE_MS = 600_000;

/** A monotonic clock, in milliseconds. */
export interface KeysClock {
  nowMs(): number;
  wait(ms: number): Promise<unknown>;
}

const SYSTEM: KeysClock = { nowMs: () => performance.now(), wait: sleep };

/**
 * After a key rotation, the ID token of every login names a key that the service does not know yet. The service reads
 * Keycloak's keys at most once per second (`COOL_DOWN_MS`), and callers wait for the next read. If a read of the keys
 * began before the token arrived, the answer may lack the token's key.
 */
export class SigningKeys {
  #keys: JWTVerifyGetKey | undefined;
  #readAtMs = -Infinity;
  #begunAtMs = -Infinity;
  #inFlight: Promise<JWTVerifyGetKey> | undefined;
  #next: Promise<JWTVerifyGetKey> | undefined;

  /** `read` fetches Keycloak's current key set (RFC 7517 §5), and throws `AuthorizationServerError`. */
  constructor(
    private readonly read: () => Promise<unknown>,
    private readonly clock: KeysClock = SYSTEM,
  ) {}

  /** Throws `JWKSNoMatchingKey` only if the key is missing in a key set that was requested after the call. */
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
    await this.#inFlight?.catch(() => undefined);
    const coolDown = this.#begunAtMs + COOL_DOWN_MS - this.clock.nowMs();
    if (coolDown > 0) await this.clock.wait(coolDown);
    this.#next = undefined;
    this.#begunAtMs = this.clock.nowMs();
    this.#inFlight = this.#readNow();
    return this.#inFlight;
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
