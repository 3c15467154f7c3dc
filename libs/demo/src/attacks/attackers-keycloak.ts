import type { KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import { ask, bearer, send, type AttackRequest, type RawAnswer } from './attack-request.js';
import { AttackNotRun, type AttackAnswer } from './attempt.js';

export interface AttackingClient {
  readonly clientId: string;
  readonly clientSecret?: string;
}

export interface NewTokens {
  readonly accessToken: string;
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
}

export interface Administration {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly json?: object;
}

export type TokenForm = Readonly<Record<string, string>>;

/**
 * Sends requests to Keycloak, and uses no cache of the service. Each method throws `AttackNotRun` if Keycloak is
 * unreachable or refuses the request.
 */
export class AttackersKeycloak {
  readonly #realmUrl: string;
  readonly #adminUrl: string;
  readonly #self: AttackingClient;

  constructor(
    {
      issuer,
      internalServerUrl: baseUrl,
      clientId,
    }: Pick<KeycloakModuleOptions, 'issuer' | 'internalServerUrl' | 'clientId'>,
    clientSecret: string,
    private readonly deadlineMs?: number,
  ) {
    const path = issuer.slice(issuer.lastIndexOf('/realms/'));
    const base = baseUrl ?? issuer.slice(0, -path.length);
    this.#realmUrl = base + path;
    this.#adminUrl = `${base}/admin${path}`;
    this.#self = { clientId, clientSecret };
  }

  async ownToken(scope: string): Promise<string> {
    return (await this.tokens({ grant_type: 'client_credentials', scope })).accessToken;
  }

  async tokens(form: TokenForm, client = this.#self): Promise<NewTokens> {
    const { status, members } = await send(this.#request('token', form, client));
    const { access_token, id_token, refresh_token } = members;
    if (status !== 200 || typeof access_token !== 'string') throw new AttackNotRun(noToken(client, members));
    return {
      accessToken: access_token,
      idToken: typeof id_token === 'string' ? id_token : undefined,
      refreshToken: typeof refresh_token === 'string' ? refresh_token : undefined,
    };
  }

  /** Unlike `tokens`, this method also returns error answers of Keycloak. */
  async askForToken(form: TokenForm, client = this.#self): Promise<AttackAnswer> {
    return ask(this.#request('token', form, client));
  }

  async revoke(token: string): Promise<void> {
    const { status, members } = await send(this.#request('revoke', { token }, this.#self));
    // Keycloak answers 200 for an unknown token too (RFC 7009 §2.2).
    if (status !== 200 || 'error' in members) throw new AttackNotRun('Keycloak did not revoke the token.');
  }

  async logOut(refreshToken: string | undefined, client: AttackingClient): Promise<void> {
    if (refreshToken === undefined) throw new AttackNotRun('Keycloak gave no refresh token to end the session with.');
    const { status } = await send(this.#request('logout', { refresh_token: refreshToken }, client));
    if (status < 200 || status >= 300) throw new AttackNotRun('Keycloak did not end the session.');
  }

  async administer(
    { method, path, json }: Administration,
    client: AttackingClient,
  ): Promise<Pick<RawAnswer, 'members' | 'location'>> {
    const { accessToken } = await this.tokens({ grant_type: 'client_credentials' }, client);
    const url = this.#adminUrl + path;
    const { deadlineMs } = this;
    const request = { who: 'Keycloak', url, method, headers: bearer(accessToken), deadlineMs };
    const answer = await send({ ...request, ...(json && { json }) });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new AttackNotRun(`Keycloak did not let ${client.clientId} do what the attack needs (${answer.status}).`);
  }

  #request(endpoint: string, form: TokenForm, { clientId, clientSecret }: AttackingClient): AttackRequest {
    const url = `${this.#realmUrl}/protocol/openid-connect/${endpoint}`;
    const common = { who: 'Keycloak', url, method: 'POST', deadlineMs: this.deadlineMs } as const;
    const secrets = Object.values(form).filter((value) => value.length > MAX_NAME);
    if (clientSecret === undefined) return { ...common, secrets, form: { ...form, client_id: clientId } };
    return {
      ...common,
      form,
      secrets: [...secrets, clientSecret],
      headers: { authorization: basic(clientId, clientSecret) },
    };
  }
}

/** A longer form value counts as a token, not as a scope or grant type. */
const MAX_NAME = 100;

function noToken({ clientId }: AttackingClient, { error }: RawAnswer['members']): string {
  const code = typeof error === 'string' && /^\w{1,40}$/.test(error) ? ` (${error})` : '';
  return `Keycloak gave ${clientId} no token to attack with${code}.`;
}

/** Form-encodes the client id and the secret first (RFC 6749 §2.3.1). */
function basic(clientId: string, secret: string): string {
  const pair = [clientId, secret].map((part) => new URLSearchParams({ part }).toString().slice('part='.length));
  return `Basic ${Buffer.from(pair.join(':')).toString('base64')}`;
}
