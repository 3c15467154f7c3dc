import { hkdfSync } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { AuthenticationDemand } from 'nestjs-keycloak-s2s';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { Cookies, type CookieRequest } from './cookies.js';
import { LoginError } from './login-error.js';
import { SESSION_STORE } from './session-store.provider.js';
import type { SessionStore } from './session-store.js';

export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly returnTo: string;
  readonly as?: string | undefined;
  /** Whether this is the second attempt, because a different user logged in at the first attempt. */
  readonly isSecond?: boolean | undefined;
  readonly demand?: AuthenticationDemand | undefined;
  /** The `sub` of the session whose user must log in again. */
  readonly confirms?: string | undefined;
}

/** Roughly equals Keycloak's time limit for a login. */
const LIFETIME_SECONDS = 600;
const MAX_PER_BROWSER = 5;
/**
 * The login cookies of a browser may use half of the maximum header size. A link on another site can start a login with
 * a long return path, and each login needs a cookie. If the cookies exceeded the maximum header size, the service would
 * refuse every request until the cookies expire.
 */
const MAX_CHARACTERS_PER_BROWSER = 8192;

const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const;

/**
 * Stores pending logins in cookies, so nobody can fill the memory or evict logins. The encryption (JWE) hides the PKCE
 * verifier.
 */
@Injectable()
export class PendingLogins {
  /** The first key encrypts and every key decrypts, so an operator can replace the secret. */
  readonly #keys: readonly Uint8Array[];

  constructor(
    @Inject(serviceAConfig.KEY) { login }: ServiceAConfig,
    private readonly cookies: Cookies,
    @Inject(SESSION_STORE) private readonly store: Pick<SessionStore, 'takeLogin'>,
  ) {
    this.#keys = login.sessionSecrets.map(
      (secret) => new Uint8Array(hkdfSync('sha256', secret, '', 'service-a pending login', 32)),
    );
  }

  async remember(
    request: CookieRequest,
    { state, nonce, codeVerifier, returnTo, as, isSecond, demand, confirms }: PendingLogin,
  ): Promise<string[]> {
    const sealed = await new EncryptJWT({ state, nonce, codeVerifier, returnTo, as, isSecond, demand, confirms })
      .setProtectedHeader(ENCRYPTION)
      .setExpirationTime(`${LIFETIME_SECONDS}s`)
      .encrypt(this.#keys[0] ?? new Uint8Array());
    return [
      ...this.#crowdedOut(request, sealed.length).map((key) => this.cookies.clearLogin(key)),
      this.cookies.setLogin(keyOf(state), sealed, LIFETIME_SECONDS),
    ];
  }

  #crowdedOut(request: CookieRequest, characters: number): string[] {
    // Browsers send the oldest cookie of one path first (RFC 6265 §5.4).
    const newestFirst = this.cookies.loginKeys(request).toReversed();
    let [kept, space] = [0, MAX_CHARACTERS_PER_BROWSER - characters];
    for (const key of newestFirst) {
      space -= this.cookies.login(request, key)?.length ?? 0;
      if (space < 0 || kept + 1 >= MAX_PER_BROWSER) break;
      kept += 1;
    }
    return newestFirst.slice(kept).toReversed();
  }

  async consume(request: CookieRequest, state: unknown): Promise<PendingLogin> {
    if (typeof state !== 'string') throw new LoginError('login_not_started_here', 'state_missing');
    const sealed = this.cookies.login(request, keyOf(state));
    if (sealed === undefined) throw new LoginError('login_not_started_here', 'no_such_login');
    const pending = await this.#open(sealed);
    if (pending?.state !== state) throw new LoginError('login_not_started_here', 'login_not_ours');
    if (await this.store.takeLogin(state, LIFETIME_SECONDS)) return pending;
    throw new LoginError('login_not_started_here', 'login_taken_before');
  }

  clearCookie(state: string): string {
    return this.cookies.clearLogin(keyOf(state));
  }

  async #open(sealed: string): Promise<PendingLogin | undefined> {
    for (const key of this.#keys) {
      const pending = await opened(sealed, key);
      if (pending !== undefined) return pending;
    }
    return undefined;
  }
}

async function opened(sealed: string, key: Uint8Array): Promise<PendingLogin | undefined> {
  try {
    const { payload } = await jwtDecrypt<PendingLogin>(sealed, key, {
      keyManagementAlgorithms: [ENCRYPTION.alg],
      contentEncryptionAlgorithms: [ENCRYPTION.enc],
      requiredClaims: ['exp', 'state'],
    });
    return payload;
  } catch {
    return undefined;
  }
}

function keyOf(state: string): string {
  return state.replaceAll(/[^\w-]/g, '').slice(0, 16);
}
