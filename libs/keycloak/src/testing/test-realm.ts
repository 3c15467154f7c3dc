/** The demo realm for specs of the library: an authorization server of their own, and how its clients reach it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  startAuthorizationServer,
  type RunningAuthorizationServer,
} from './authorization-server/start-authorization-server.js';
import { unfilledPlaceholders } from './keycloak-settings.js';

export const REALM_FILE = fileURLToPath(new URL('../../../../keycloak/microservices-realm.json', import.meta.url));

/** Of every client. Its characters must be encoded in the header of RFC 6749 §2.3.1. */
const CLIENT_SECRET = 'the-secret:of +it';

export const startTestRealm = (): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: REALM_FILE, environment: allSecrets(CLIENT_SECRET) });

/** The placeholders that the realm file has for the secrets of its clients, all of them filled with one. */
export function allSecrets(secret: string): Readonly<Record<string, string>> {
  const names = unfilledPlaceholders(readFileSync(REALM_FILE, 'utf8'), {});
  return Object.fromEntries(names.map((name) => [name, secret]));
}

/** As a client of the realm is configured, with no retries, a circuit that stays closed and, where no test is about it, no hurry. */
export const connectionTo = ({ issuer }: RunningAuthorizationServer, clientId = 'service-b') => ({
  issuer,
  realmUrl: issuer,
  clientId,
  clientSecret: CLIENT_SECRET,
  allowInsecureRequests: true,
  defaultScopes: ['profile', 'email'],
  timeoutMs: 60_000,
  maxConcurrentCalls: 20,
  maxQueuedCalls: 500,
  maxRetries: 0,
  circuitBreakerFailures: 1000,
  circuitBreakerPauseMs: 1000,
});

/** RFC 6749 §2.3.1: id and secret are form-encoded before they become user name and password. */
export const BASIC_OF_SERVICE_B = `Basic ${Buffer.from('service%2Db:the%2Dsecret%3Aof+%2Bit').toString('base64')}`;

/** The access token of alice or bob, meant for service-a, as a user brings one to it. */
export async function loginTo({ issuer }: RunningAuthorizationServer, username: 'alice' | 'bob'): Promise<string> {
  const form = { grant_type: 'password', client_id: 'demo-cli', username, password: username, scope: 'orders.read' };
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token } = (await response.json()) as { readonly access_token: string };
  return access_token;
}

/** Calls whose results, once they are here, wait until a test lets them go on, and which are counted when they have. */
export class HeldCalls<Args extends readonly unknown[], Result> {
  #ended = 0;
  #released: Promise<void> = Promise.resolve();

  constructor(private readonly call: (...args: Args) => Promise<Result>) {}

  readonly run = async (...args: Args): Promise<Result> => {
    const released = this.#released;
    try {
      return await this.call(...args).finally(() => released);
    } finally {
      this.#ended += 1;
    }
  };

  /** Those that begin from now on wait for what is returned to be called; later ones do not. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.#released = new Promise((resolve) => (release = resolve));
    return () => {
      this.#released = Promise.resolve();
      release();
    };
  }

  /** Once so many have ended, and whoever waited for them has gone on. */
  async haveEnded(times: number): Promise<void> {
    while (this.#ended < times) await new Promise(setImmediate);
    await new Promise(setImmediate);
  }
}
