import { Controller, Get, Module, type DynamicModule, type INestApplication, type Provider } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CLIENT_SECRET } from '../../keycloak-test-servers/spec-support/test-realm.js';
import { Authenticated, KeycloakModule, type CommonModuleOptions } from '../src/index.js';
import {
  BackchannelLogoutModule,
  type BackchannelLogoutAsyncOptions,
  type BackchannelLogoutListener,
} from '../src/entry-points/signals/index.js';
import { encoded } from './signers.js';
import { optionsOf } from './test-realm.js';

const SHOP = 'shop';

export interface LoggedIn {
  readonly accessToken: string;
  readonly idToken: string;
}

@Controller('orders')
class OrdersController {
  @Get()
  @Authenticated()
  list(): string {
    return 'orders';
  }
}

export interface ShopOptions {
  readonly servers: readonly RunningAuthorizationServer[];
  readonly notices: DynamicModule;
  readonly adapter: AbstractHttpAdapter;
  readonly path?: string;
  readonly options?: Partial<CommonModuleOptions>;
  readonly providers?: readonly Provider[];
  readonly prepare?: (app: INestApplication) => void;
}

export class Shop {
  private constructor(
    private readonly app: INestApplication,
    readonly url: string,
    private readonly path: string,
  ) {}

  static async start({
    servers,
    notices,
    adapter,
    path = 'backchannel-logout',
    options = {},
    providers = [],
    prepare,
  }: ShopOptions): Promise<Shop> {
    const issuers = servers.map((server, at) => {
      const { issuer, clientSecret } = optionsOf(server, SHOP);
      return { issuer, clientId: SHOP, clientSecret, ...(at === 0 ? {} : { acceptedScopes: [] }) };
    });
    const [first, ...others] = issuers;
    if (first === undefined) throw new Error('A shop has one issuer at least');
    const common = { allowInsecureRequests: true, maxRetries: 0, circuitBreakerFailures: 1000, ...options };
    @Module({
      imports: [KeycloakModule.forRoot({ ...common, issuers: [first, ...others] }), notices],
      controllers: [OrdersController],
      providers: [...providers],
    })
    class ShopModule {}
    const app = await NestFactory.create(ShopModule, adapter, { logger: false, abortOnError: false });
    prepare?.(app);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    for (const { control } of servers) control.addClient(clientAt(`${url}/${path}`));
    return new Shop(app, url, path);
  }

  async status(accessToken: string): Promise<number> {
    const { status, body } = await fetch(`${this.url}/orders`, { headers: { authorization: `Bearer ${accessToken}` } });
    await body?.cancel();
    return status;
  }

  async notify(token: string): Promise<Response> {
    return this.post(new URLSearchParams({ logout_token: token }));
  }

  async post(body: URLSearchParams | string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.url}/${this.path}`, { method: 'POST', body, headers });
  }

  async stop(): Promise<void> {
    await this.app.close();
  }
}

export async function logIn({ issuer }: RunningAuthorizationServer, username: 'alice' | 'bob'): Promise<LoggedIn> {
  const form = { grant_type: 'password', client_id: SHOP, client_secret: CLIENT_SECRET, scope: 'openid' };
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...form, username, password: username }),
  });
  const answer = (await response.json()) as { readonly access_token: string; readonly id_token: string };
  return { accessToken: answer.access_token, idToken: answer.id_token };
}

/** Keycloak answers after it has notified the clients (RP-Initiated Logout 1.0 §2). */
export async function logOut({ issuer }: RunningAuthorizationServer, { idToken }: LoggedIn): Promise<void> {
  const query = new URLSearchParams({ id_token_hint: idToken });
  const response = await fetch(`${issuer}/protocol/openid-connect/logout?${query.toString()}`);
  await response.body?.cancel();
}

const clientAt = (noticesUrl: string): Readonly<Record<string, unknown>> => ({
  clientId: SHOP,
  secret: CLIENT_SECRET,
  publicClient: false,
  standardFlowEnabled: false,
  directAccessGrantsEnabled: true,
  fullScopeAllowed: false,
  defaultClientScopes: ['basic'],
  protocolMappers: [
    {
      name: 'audience',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-audience-mapper',
      config: { 'included.client.audience': SHOP, 'access.token.claim': 'true' },
    },
  ],
  attributes: { 'backchannel.logout.url': noticesUrl, 'backchannel.logout.session.required': 'true' },
});

/** Returns a logout token in which only the signature is invalid. */
export function junkNotice({ issuer }: RunningAuthorizationServer, kid: string): string {
  const iat = Math.floor(Date.now() / 1000);
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const claims = { iss: issuer, aud: SHOP, iat, exp: iat + 60, jti: kid, sid: kid, events };
  return `${encoded({ alg: 'RS256', typ: 'logout+jwt', kid })}.${encoded(claims)}.c2lnbmF0dXJl`;
}

const LISTENER = Symbol('listener');

export function listening(listener: BackchannelLogoutListener): DynamicModule {
  @Module({ providers: [{ provide: LISTENER, useFactory: () => listener }], exports: [LISTENER] })
  class Listeners {}
  const options: BackchannelLogoutAsyncOptions = {
    imports: [Listeners],
    inject: [LISTENER],
    useFactory: async (injected: BackchannelLogoutListener) => injected,
  };
  return BackchannelLogoutModule.forRootAsync(options);
}
