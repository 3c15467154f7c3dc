/** A model of Keycloak whose answers may be late or missing, but are never wrong. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import type { LoggedIn, Refreshed } from '../../../apps/service-a/src/login/openid-provider.js';
import { OpenIdTokens } from '../../../apps/service-a/src/login/openid-tokens.js';
import { startFakeService, type FakeService } from '../../support/fake-service.js';

export const CLIENT = 'service-a';
const REALM_PATH = '/realms/test';
const LIFE_SECONDS = 600;
/** An access token with this lifetime needs a refresh before the session's next use. */
const STALE_SECONDS = 5;

export type Mode = 'well' | 'late' | 'failing';

export interface KeycloakSession {
  readonly sid: string;
  readonly sub: string;
  endedMs: number | undefined;
}

export interface KeycloakToken {
  readonly text: string;
  readonly jti: string;
  readonly session: KeycloakSession;
  readonly isExchanged: boolean;
  revokedMs: number | undefined;
}

export interface KeycloakEvent {
  readonly atMs: number;
  readonly what: { readonly ended: KeycloakSession } | { readonly changed: KeycloakSession };
}

export const inactiveSinceMs = ({ revokedMs, session }: KeycloakToken): number | undefined =>
  revokedMs === undefined || session.endedMs === undefined
    ? (revokedMs ?? session.endedMs)
    : Math.min(revokedMs, session.endedMs);

export class KeycloakModel {
  readonly tokens = new Map<string, KeycloakToken>();
  readonly log: KeycloakEvent[] = [];
  readonly #refreshTokens = new Map<string, { readonly session: KeycloakSession; timesSent: number }>();
  mode: Mode = 'well';
  /** The refresh tokens that were sent twice; Keycloak would end the session of such a token. */
  readonly sentTwice: string[] = [];
  #numbers = 0;
  #server: FakeService | undefined;

  async start(): Promise<void> {
    this.#server = await startFakeService((incoming, outgoing) => {
      void this.#answer(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  get issuer(): string {
    return `${this.#server?.url}${REALM_PATH}`;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  newSession(sub: string): KeycloakSession {
    return { sid: `session-${this.#next()}`, sub, endedMs: undefined };
  }

  end(session: KeycloakSession): void {
    if (session.endedMs !== undefined) return;
    session.endedMs = performance.now();
    this.log.push({ atMs: session.endedMs, what: { ended: session } });
  }

  revoke(token: KeycloakToken): void {
    if (token.revokedMs !== undefined) return;
    token.revokedMs = performance.now();
    this.log.push({ atMs: token.revokedMs, what: { changed: token.session } });
  }

  async events(sinceMs: number): Promise<{ readonly events: readonly KeycloakEvent[]; readonly isWhole: boolean }> {
    const { mode } = this;
    const isWhole = mode !== 'late' || this.#next() % 4 > 0;
    const events = isWhole ? this.log.filter(({ atMs }) => atMs >= sinceMs) : [];
    await this.#delay(mode);
    if (mode === 'failing')
      throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
    return { events, isWhole };
  }

  newToken(session: KeycloakSession, isExchanged = false): KeycloakToken {
    const jti = `token-${this.#next()}`;
    const header = encoded({ alg: 'RS256', typ: 'at+jwt' });
    const token = { text: `${header}.${encoded({ jti })}.c2ln`, jti, session, isExchanged, revokedMs: undefined };
    this.tokens.set(token.text, token);
    return token;
  }

  login(session: KeycloakSession): LoggedIn {
    return {
      subject: session.sub,
      sessionId: session.sid,
      username: session.sub,
      issuedAt: Math.floor(Date.now() / 1000),
      authentication: { acr: '1', authTime: Math.floor(Date.now() / 1000) },
      tokens: this.#tokensOf(session, STALE_SECONDS),
    };
  }

  /** As in `OpenIdProvider`, the reason of an error shows whether Keycloak may have used the refresh token. */
  async refresh(before: OpenIdTokens): Promise<Refreshed> {
    const name = before.reveal().refreshToken ?? '';
    const known = this.#refreshTokens.get(name);
    if (known === undefined) throw new Error('A refresh token that was never given out');
    const { mode } = this;
    const isRefused = mode === 'failing' && this.#next() % 2 === 0;
    if (isRefused) throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'ECONNREFUSED' });
    known.timesSent += 1;
    if (known.timesSent > 1) this.sentTwice.push(name);
    const isOver = known.session.endedMs !== undefined;
    await this.#delay(mode);
    if (mode === 'failing')
      throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
    const seconds = this.#next() % 3 === 0 ? STALE_SECONDS : LIFE_SECONDS;
    return isOver ? { refused: true } : { tokens: this.#tokensOf(known.session, seconds) };
  }

  #tokensOf(session: KeycloakSession, seconds: number): OpenIdTokens {
    const refreshToken = `refresh-${this.#next()}`;
    this.#refreshTokens.set(refreshToken, { session, timesSent: 0 });
    const askedAtMs = performance.now();
    return new OpenIdTokens({
      accessToken: this.newToken(session).text,
      refreshToken,
      idToken: 'an-id-token',
      askedAtMs,
      expiresAtMs: askedAtMs + seconds * 1000,
    });
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(incoming));
    const { mode } = this;
    // The answer describes the state at this moment, even if the answer arrives late.
    const [status, body] = this.#say(incoming.url ?? '', form);
    await this.#delay(mode);
    if (mode === 'failing' && !incoming.url?.includes('.well-known')) outgoing.writeHead(503).end();
    else outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #say(url: string, form: URLSearchParams): readonly [status: number, body: object] {
    if (url.includes('.well-known')) return [200, this.#document()];
    if (url.endsWith('/introspect')) return [200, this.#introspection(form.get('token') ?? '')];
    const subject = this.tokens.get(form.get('subject_token') ?? '');
    if (subject === undefined || inactiveSinceMs(subject) !== undefined) {
      return [400, { error: 'invalid_request', error_description: 'Invalid token' }];
    }
    const { text: access_token } = this.newToken(subject.session, true);
    return [200, { access_token, token_type: 'Bearer', expires_in: LIFE_SECONDS, scope: form.get('scope') ?? '' }];
  }

  #document(): object {
    const endpoints = `${this.issuer}/protocol/openid-connect`;
    return {
      issuer: this.issuer,
      authorization_endpoint: `${endpoints}/auth`,
      token_endpoint: `${endpoints}/token`,
      introspection_endpoint: `${endpoints}/token/introspect`,
      jwks_uri: `${endpoints}/certs`,
    };
  }

  #introspection(token: string): object {
    const known = this.tokens.get(token);
    if (known === undefined || inactiveSinceMs(known) !== undefined) return { active: false };
    const { jti, session } = known;
    const now = Math.floor(Date.now() / 1000);
    const { sub, sid } = session;
    const claims = {
      iss: this.issuer,
      aud: CLIENT,
      azp: CLIENT,
      client_id: CLIENT,
      typ: 'Bearer',
      scope: 'orders.read',
    };
    return { active: true, ...claims, jti, sub, sid, iat: now - 60, exp: now + LIFE_SECONDS };
  }

  async #delay(mode: Mode): Promise<void> {
    if (mode !== 'well') await sleep(this.#next() % 60);
  }

  #next(): number {
    return (this.#numbers += 1);
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
