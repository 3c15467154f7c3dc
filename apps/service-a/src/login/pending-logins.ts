/** PendingLogins: logins in progress, each kept in an encrypted cookie of the browser that started it. */
import { hkdfSync } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { AuthenticationDemand } from 'nestjs-keycloak-s2s';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { Cookies, type CookieRequest } from './cookies.js';
import { LoginError } from './login-error.js';
import { SESSION_STORE } from './session-store.provider.js';
import type { SessionStore } from './session-store.js';

/** The values that are remembered from the redirect to Keycloak until the return. */
export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly returnTo: string;
  /** The user for whom it was begun, of the demonstration. */
  readonly as?: string | undefined;
  /** Whether it is the second one, since the first brought another user. */
  readonly isSecond?: boolean | undefined;
  /** The login that was asked for, where not any will do. */
  readonly demand?: AuthenticationDemand | undefined;
  /** `sub` of the session whose user is to log in again so. */
  readonly confirms?: string | undefined;
}

/** About as long as Keycloak lets a user take to log in. */
const LIFETIME_SECONDS = 600;
/** Pending logins of one browser, limited because headers are; the oldest is dropped first. */
const MAX_PER_BROWSER = 5;
/**
 * Of all their cookies together: half of what a service reads of the header of a request. Any site can link to a login, and says how long its path
 * is; a browser whose cookies are too long is refused wherever it goes, until they expire.
 */
const MAX_CHARACTERS_PER_BROWSER = 8192;

const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const;

/**
 * Pending logins are kept in the browser, so that a client that starts many logins neither fills memory nor evicts the logins of
 * others. The encryption (JWE, with a key derived from the session secret) hides the PKCE verifier. Each login can be used once, at whichever replica.
 */
@Injectable()
export class PendingLogins {
  /** The first one seals, all open: a secret is replaced without a login that fails. */
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

  /** The cookies that store this login in the browser, and remove the oldest ones when there are too many. */
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

  /** The keys of the logins for which there is no room beside a new one of this many characters. */
  #crowdedOut(request: CookieRequest, characters: number): string[] {
    // Browsers send the oldest cookie of one path first (RFC 6265 §5.4).
    const newestFirst = this.cookies.loginKeys(request).toReversed();
    let [kept, room] = [0, MAX_CHARACTERS_PER_BROWSER - characters];
    for (const key of newestFirst) {
      room -= this.cookies.login(request, key)?.length ?? 0;
      if (room < 0 || kept + 1 >= MAX_PER_BROWSER) break;
      kept += 1;
    }
    return newestFirst.slice(kept).toReversed();
  }

  /** Returns the login with this state, once. Throws `login_not_started_here` if this browser did not start it or it was used before. */
  async consume(request: CookieRequest, state: unknown): Promise<PendingLogin> {
    if (typeof state !== 'string') throw new LoginError('login_not_started_here', 'state_missing');
    const sealed = this.cookies.login(request, keyOf(state));
    if (sealed === undefined) throw new LoginError('login_not_started_here', 'no_such_login');
    const pending = await this.#open(sealed);
    if (pending?.state !== state) throw new LoginError('login_not_started_here', 'login_not_ours');
    if (await this.store.takeLogin(state, LIFETIME_SECONDS)) return pending;
    throw new LoginError('login_not_started_here', 'login_taken_before');
  }

  /** The cookie that removes the login from the browser. */
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

/** The part of the state that names the cookie, without the characters that cookie names can't contain. */
function keyOf(state: string): string {
  return state.replaceAll(/[^\w-]/g, '').slice(0, 16);
}
