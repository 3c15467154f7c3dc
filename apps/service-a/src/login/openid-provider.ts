/** OpenIdProvider: what Service A asks of Keycloak to log a user in and out, by the OpenID Connect library. */
import { Inject, Injectable } from '@nestjs/common';
import { compactVerify, errors } from 'jose';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  type IDToken,
  type TokenEndpointResponse,
} from 'openid-client';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { LoginError } from './login-error.js';
import { OpenIdTokens } from './openid-tokens.js';
import { OpenIdConfiguration } from './openid-configuration.js';
import { isInvalidGrant, unavailable, withOwnErrors } from './openid-errors.js';
import { OpenIdTransport } from './openid-transport.js';
import type { PendingLogin } from './pending-logins.js';
import { SIGNING_ALGORITHMS } from './signing-keys.js';

/** Who logged in, by the ID token; and the tokens. */
export interface LoggedIn {
  readonly subject: string;
  /** Keycloak's session, the same for every client the user logs in to. */
  readonly sessionId: string | undefined;
  readonly username: string;
  /** `iat` of the ID token. */
  readonly issuedAt: number;
  readonly tokens: OpenIdTokens;
}

export type Refreshed = { readonly tokens: OpenIdTokens } | { readonly refused: true };

/** What A needs of a user's token for itself; for Service B it is exchanged. */
const SCOPE = 'openid orders.read';
/** DEMO: the attacks on the page are routes with a permission of their own. */
const DEMO_SCOPE = `${SCOPE} attacks.run`;

/** Throws `LoginError` for what is wrong with a login, `AuthorizationServerError` when Keycloak is to blame. */
@Injectable()
export class OpenIdProvider {
  readonly #callbackUrl: string;

  constructor(
    @Inject(serviceAConfig.KEY) private readonly config: ServiceAConfig,
    private readonly configuration: OpenIdConfiguration,
    private readonly transport: OpenIdTransport,
  ) {
    this.#callbackUrl = `${config.login.publicUrl}/auth/callback`;
  }

  /** A new login: what is to be remembered of it, and where to send the browser. */
  async begin(returnTo: string): Promise<{ readonly pending: PendingLogin; readonly url: string }> {
    const pending = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier(), returnTo };
    const url = buildAuthorizationUrl(await this.configuration.get(), {
      redirect_uri: this.#callbackUrl,
      scope: this.config.demoMode ? DEMO_SCOPE : SCOPE,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await calculatePKCECodeChallenge(pending.codeVerifier),
      code_challenge_method: 'S256',
    });
    return { pending, url: url.href };
  }

  /** Checks the answer that the browser brought (`state`, `iss`), redeems its code and checks the ID token, nonce included. */
  async complete(query: string, { state, nonce, codeVerifier }: PendingLogin): Promise<LoggedIn> {
    const configuration = await this.configuration.get();
    const startedMs = performance.now();
    return withOwnErrors(async () => {
      const answer = await authorizationCodeGrant(configuration, new URL(this.#callbackUrl + query), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      if (answer.id_token === undefined) throw unavailable('nonsense_answer');
      // Though it came over the line from Keycloak itself.
      await this.#checkSignature(answer.id_token);
      return loggedIn(answer, answer.id_token, answer.claims(), startedMs);
    });
  }

  /**
   * New tokens for old; refused when Keycloak knows the session no longer (400 `invalid_grant`), and for nothing else: no
   * other answer says anything of the session. `subject`: whose it is.
   */
  async refresh(tokens: OpenIdTokens, subject: string): Promise<Refreshed> {
    const { refreshToken, idToken } = tokens.reveal();
    if (refreshToken === undefined) return { refused: true };
    const configuration = await this.configuration.get();
    const startedMs = performance.now();
    try {
      return await withOwnErrors(async () => {
        const answer = await refreshTokenGrant(configuration, refreshToken);
        // OpenID Connect Core 1.0 §12.2: never another user's.
        const { sub = subject } = answer.claims() ?? {};
        if (sub !== subject) throw new LoginError('login_not_valid', 'another_subject');
        return { tokens: tokensOf(answer, startedMs, refreshToken, await this.#newer(answer.id_token, idToken)) };
      });
    } catch (error) {
      if (isInvalidGrant(error)) return { refused: true };
      // No user is to blame for an answer that is not what was asked for.
      throw error instanceof LoginError ? unavailable('nonsense_answer') : error;
    }
  }

  /**
   * The refresh token may be used up by now. So an ID token whose key can't be had ends nothing: the one of the login stays,
   * which serves for the logout as well.
   */
  async #newer(idToken: string | undefined, former: string): Promise<string> {
    if (idToken === undefined) return former;
    try {
      await this.#checkSignature(idToken);
      return idToken;
    } catch (error) {
      if (error instanceof AuthorizationServerError) return former;
      throw error;
    }
  }

  /** Throws `LoginError` for a signature that is wrong, `AuthorizationServerError` when Keycloak has no such key to show. */
  async #checkSignature(idToken: string): Promise<void> {
    try {
      await compactVerify(idToken, this.configuration.keys.get, { algorithms: [...SIGNING_ALGORITHMS] });
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      if (error instanceof errors.JWKSNoMatchingKey) throw unavailable('signing_key_unknown');
      throw new LoginError('login_not_valid', error.code.toLowerCase());
    }
  }

  /**
   * RP-Initiated Logout 1.0, by our own request, so that the ID token is in no address that a browser sees: ends the
   * session at Keycloak, which tells every other client of it.
   */
  async endSession(tokens: OpenIdTokens): Promise<void> {
    const { end_session_endpoint = '' } = (await this.configuration.get()).serverMetadata();
    const form = { id_token_hint: tokens.reveal().idToken, client_id: this.config.keycloak.clientId };
    const { status } = await this.transport.post(end_session_endpoint, new URLSearchParams(form));
    if (status >= 400) throw new LoginError('login_refused', `logout_answered_${status}`);
  }

  /**
   * Where the browser then goes, to lose what Keycloak left in it. Keycloak sends it back at once, or asks when it still has
   * a session: another one than that which was ended, or when that failed.
   */
  async logoutUrl(): Promise<string> {
    const parameters = { post_logout_redirect_uri: `${this.config.login.publicUrl}/` };
    return buildEndSessionUrl(await this.configuration.get(), parameters).href;
  }
}

function loggedIn(
  answer: TokenEndpointResponse,
  idToken: string,
  claims: IDToken | undefined,
  startedMs: number,
): LoggedIn {
  if (claims === undefined) throw new LoginError('login_not_valid', 'no_claims');
  const { sub, sid, iat, preferred_username: name } = claims;
  return {
    subject: sub,
    sessionId: typeof sid === 'string' ? sid : undefined,
    username: typeof name === 'string' ? name : sub,
    issuedAt: iat,
    tokens: tokensOf(answer, startedMs, undefined, idToken),
  };
}

/** The refresh token, when the server does not send a new one, stays as it was (RFC 6749 §6). */
function tokensOf(
  { access_token, refresh_token, expires_in = 0 }: TokenEndpointResponse,
  startedMs: number,
  formerRefreshToken: string | undefined,
  idToken: string,
): OpenIdTokens {
  return new OpenIdTokens({
    accessToken: access_token,
    refreshToken: refresh_token ?? formerRefreshToken,
    idToken,
    askedAtMs: startedMs,
    expiresAtMs: startedMs + expires_in * 1000,
  });
}
