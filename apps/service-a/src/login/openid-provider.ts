import { Inject, Injectable } from '@nestjs/common';
import { compactVerify, errors } from 'jose';
import { AuthorizationServerError, type AuthenticationClaims } from 'nestjs-keycloak-s2s';
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
import { isInvalidGrant, translateErrors, unavailable } from './openid-errors.js';
import { OpenIdTransport } from './openid-transport.js';
import type { PendingLogin } from './pending-logins.js';
import { SIGNING_ALGORITHMS } from './signing-keys.js';

export interface LoggedIn {
  readonly subject: string;
  /** Keycloak's `sid`, equal at every client where the user logs in. */
  readonly sessionId: string | undefined;
  readonly username: string;
  readonly issuedAt: number;
  readonly authentication: AuthenticationClaims;
  readonly tokens: OpenIdTokens;
}

export type WantedLogin = Pick<PendingLogin, 'returnTo' | 'as' | 'isSecond' | 'demand' | 'confirms'>;

export type Refreshed = { readonly tokens: OpenIdTokens } | { readonly refused: true };

/** The login needs no scope of Service B, since Service A exchanges the user's token. */
const SCOPE = 'openid orders.read';
/** DEMO: the page's attacks require the permission attacks.run. */
const DEMO_SCOPE = `${SCOPE} attacks.run`;

/** Throws `LoginError` if a login is invalid, and `AuthorizationServerError` if Keycloak is at fault. */
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

  async begin(
    wanted: WantedLogin,
    loginHint = wanted.as,
  ): Promise<{ readonly pending: PendingLogin; readonly url: string }> {
    const { acrValues = [], maxAgeSeconds } = wanted.demand ?? {};
    const pending = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier(), ...wanted };
    const url = buildAuthorizationUrl(await this.configuration.get(), {
      redirect_uri: this.#callbackUrl,
      scope: this.config.demoMode ? DEMO_SCOPE : SCOPE,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await calculatePKCECodeChallenge(pending.codeVerifier),
      code_challenge_method: 'S256',
      ...(loginHint === undefined ? {} : { login_hint: loginHint }),
      ...(acrValues.length === 0 ? {} : { acr_values: acrValues.join(' ') }),
      ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
    });
    return { pending, url: url.href };
  }

  async complete(query: string, { state, nonce, codeVerifier }: PendingLogin): Promise<LoggedIn> {
    const configuration = await this.configuration.get();
    const startedMs = performance.now();
    return translateErrors(async () => {
      const answer = await authorizationCodeGrant(configuration, new URL(this.#callbackUrl + query), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      if (answer.id_token === undefined) throw unavailable('nonsense_answer');
      // Checks the signature, although Keycloak sent the ID token directly to this service.
      await this.#checkSignature(answer.id_token);
      return loggedIn(answer, answer.id_token, answer.claims(), startedMs);
    });
  }

  /** Loads the metadata before `refresh` sends the refresh token, because loading can fail. */
  async ready(): Promise<void> {
    await this.configuration.get();
  }

  /**
   * Returns `refused` if there is no refresh token, or if Keycloak answers 400 `invalid_grant`. Other errors do not
   * prove that Keycloak's session has ended.
   */
  async refresh(tokens: OpenIdTokens, subject: string): Promise<Refreshed> {
    const { refreshToken, idToken } = tokens.reveal();
    if (refreshToken === undefined) return { refused: true };
    const configuration = await this.configuration.get();
    const startedMs = performance.now();
    try {
      return await translateErrors(async () => {
        const answer = await refreshTokenGrant(configuration, refreshToken);
        // The subject must stay the same (OpenID Connect Core 1.0 §12.2).
        const { sub = subject } = answer.claims() ?? {};
        if (sub !== subject) throw new LoginError('login_not_valid', 'another_subject');
        const newest = await this.#verifiedOr(idToken, answer.id_token);
        return { tokens: tokensOf(answer, startedMs, refreshToken, newest) };
      });
    } catch (error) {
      if (isInvalidGrant(error)) return { refused: true };
      throw error instanceof LoginError ? unavailable('nonsense_answer') : error;
    }
  }

  /**
   * Returns the former ID token if the new ID token is missing, or if the key of the new ID token is unavailable. An
   * error would lose the new refresh token, and Keycloak may refuse the former refresh token. Keycloak's logout accepts
   * the former ID token.
   */
  async #verifiedOr(former: string, idToken: string | undefined): Promise<string> {
    if (idToken === undefined) return former;
    try {
      await this.#checkSignature(idToken);
      return idToken;
    } catch (error) {
      if (error instanceof AuthorizationServerError) return former;
      throw error;
    }
  }

  async #checkSignature(idToken: string): Promise<void> {
    try {
      await compactVerify(idToken, this.configuration.keys.get, { algorithms: [...SIGNING_ALGORITHMS] });
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      if (error instanceof errors.JWKSNoMatchingKey) throw unavailable('signing_key_unknown');
      throw new LoginError('login_not_valid', error.code.toLowerCase());
    }
  }

  /** Logs out without the browser (RP-Initiated Logout 1.0), so that no URL contains the ID token. */
  async endSession(tokens: OpenIdTokens): Promise<void> {
    const { end_session_endpoint = '' } = (await this.configuration.get()).serverMetadata();
    const form = { id_token_hint: tokens.reveal().idToken, client_id: this.config.keycloak.clientId };
    const { status } = await this.transport.post(end_session_endpoint, new URLSearchParams(form));
    if (status >= 400) throw new LoginError('login_refused', `logout_answered_${status}`);
  }

  /** Keycloak asks for confirmation if the browser still has a session at Keycloak. */
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
  const { sub, sid, iat, preferred_username: name, acr, auth_time: authTime } = claims;
  return {
    subject: sub,
    sessionId: typeof sid === 'string' ? sid : undefined,
    username: typeof name === 'string' ? name : sub,
    issuedAt: iat,
    authentication: { acr, authTime },
    tokens: tokensOf(answer, startedMs, undefined, idToken),
  };
}

/** Without a new refresh token, the former refresh token stays valid (RFC 6749 §6). */
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
