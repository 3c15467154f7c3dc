/** PendingLogins: logins under way, each kept sealed in the browser that began it. */
import { hkdfSync } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { LRUCache } from 'lru-cache';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { Cookies, type CookieRequest } from './cookies.js';
import { LoginError } from './login-error.js';

/** What is remembered between the way to Keycloak and the way back. */
export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly returnTo: string;
}

/** As long as Keycloak lets a user take to log in, more or less. */
const LIFETIME_SECONDS = 600;
/** Tabs of one browser that may be logging in; headers have a bound. The oldest goes first. */
const MAX_PER_BROWSER = 5;
const MAX_REMEMBERED = 10_000;

const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const;

/**
 * In the browser and not here, so that anybody who begins many logins fills no memory and pushes out no other's. The seal
 * (JWE, with a key made of the session secret) keeps the PKCE verifier from everybody but us. A login can be taken once.
 */
@Injectable()
export class PendingLogins {
  readonly #key: Uint8Array;
  readonly #taken = new LRUCache<string, true>({ max: MAX_REMEMBERED, ttl: LIFETIME_SECONDS * 1000 });

  constructor(
    @Inject(serviceAConfig.KEY) { login }: ServiceAConfig,
    private readonly cookies: Cookies,
  ) {
    this.#key = new Uint8Array(hkdfSync('sha256', login.sessionSecret, '', 'service-a pending login', 32));
  }

  /** The cookies that make the browser remember this login, and forget the oldest when there are too many. */
  async remember(request: CookieRequest, { state, nonce, codeVerifier, returnTo }: PendingLogin): Promise<string[]> {
    const sealed = await new EncryptJWT({ state, nonce, codeVerifier, returnTo })
      .setProtectedHeader(ENCRYPTION)
      .setExpirationTime(`${LIFETIME_SECONDS}s`)
      .encrypt(this.#key);
    // Browsers send the oldest cookie of one path first (RFC 6265 §5.4).
    const known = this.cookies.loginKeys(request);
    const forgotten = known.slice(0, Math.max(0, known.length - MAX_PER_BROWSER + 1));
    return [
      ...forgotten.map((key) => this.cookies.clearLogin(key)),
      this.cookies.setLogin(keyOf(state), sealed, LIFETIME_SECONDS),
    ];
  }

  /** The login with this state, if this browser began it and it was not taken before; else `login_not_started_here`. */
  async take(request: CookieRequest, state: unknown): Promise<PendingLogin> {
    if (typeof state !== 'string') throw new LoginError('login_not_started_here', 'state_missing');
    const sealed = this.cookies.login(request, keyOf(state));
    if (sealed === undefined) throw new LoginError('login_not_started_here', 'no_such_login');
    const pending = await this.#open(sealed);
    if (pending?.state !== state) throw new LoginError('login_not_started_here', 'login_not_ours');
    if (this.#taken.has(state)) throw new LoginError('login_not_started_here', 'login_taken_before');
    this.#taken.set(state, true);
    return pending;
  }

  /** The cookie that has the browser forget it. */
  forget(state: string): string {
    return this.cookies.clearLogin(keyOf(state));
  }

  async #open(sealed: string): Promise<PendingLogin | undefined> {
    try {
      const { payload } = await jwtDecrypt<PendingLogin>(sealed, this.#key, {
        keyManagementAlgorithms: [ENCRYPTION.alg],
        contentEncryptionAlgorithms: [ENCRYPTION.enc],
        requiredClaims: ['exp', 'state'],
      });
      return payload;
    } catch {
      return undefined;
    }
  }
}

/** Enough of the state to tell logins apart; a name of a cookie can't hold every character. */
function keyOf(state: string): string {
  return state.replaceAll(/[^\w-]/g, '').slice(0, 16);
}
