import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CLIENT_SECRET } from '../../keycloak-test-servers/spec-support/test-realm.js';
import { FixedSecret } from '../src/client-authentication/client-authentication.js';

export const optionsOf = ({ issuer }: RunningAuthorizationServer, clientId = 'service-b') => ({
  issuer,
  clientId,
  clientSecret: CLIENT_SECRET,
  allowInsecureRequests: true,
  expectedDefaultScopes: ['profile', 'email'],
  timeoutMs: 60_000,
  maxConcurrentCalls: 20,
  maxQueuedCalls: 500,
  maxRetries: 0,
  circuitBreakerFailures: 1000,
  circuitBreakerPauseMs: 1000,
});

export const connectionTo = (realm: RunningAuthorizationServer, clientId?: string) => {
  const { clientSecret, ...options } = optionsOf(realm, clientId);
  return { ...options, realmUrl: realm.issuer, clientAuthentication: new FixedSecret(clientSecret) };
};

/** The client id and secret are form-encoded before they become user name and password (RFC 6749 §2.3.1). */
export const BASIC_OF_SERVICE_B = `Basic ${Buffer.from('service%2Db:the%2Dsecret%3Aof+%2Bit').toString('base64')}`;

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

  /** Delays the results of calls until the returned function is called; later calls are not delayed. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.#released = new Promise((resolve) => (release = resolve));
    return () => {
      this.#released = Promise.resolve();
      release();
    };
  }

  async haveEnded(times: number): Promise<void> {
    while (this.#ended < times) await new Promise(setImmediate);
    await new Promise(setImmediate);
  }
}
