/** ChainTokens: the claims of the tokens of a chain, as reported by the services that were called with them. */
import { Injectable, Logger } from '@nestjs/common';
import { KeycloakException, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';
import { ProcessingClient } from '../processing.client.js';

@Injectable()
export class ChainTokens {
  readonly #logger = new Logger('ChainTokens');

  /** The callers of requests that go on, by request. */
  readonly #callers = new WeakMap<object, VerifiedAccessToken>();

  constructor(private readonly processing: ProcessingClient) {}

  /** Remembers the caller while the request lasts, for the page of a refusal. */
  remember(request: object, caller: VerifiedAccessToken): void {
    this.#callers.set(request, caller);
  }

  /** The user's token at Service A alone; undefined where there is none, or none is known. */
  ofRefused(service: string, request: object): SeenToken | undefined {
    const caller = this.#callers.get(request);
    return caller && seenToken(service, caller);
  }

  /**
   * The user's token at Service A, if there is one, and the tokens at B and C. Works in demo mode only, since the other services
   * report tokens only then. Returns undefined when they are unavailable; the chain itself has succeeded all the same.
   */
  async of(service: string, caller: VerifiedAccessToken | undefined): Promise<readonly SeenToken[] | undefined> {
    try {
      const further = await this.processing.tokens(caller);
      return caller === undefined ? further : [seenToken(service, caller), ...further];
    } catch (error) {
      if (!(error instanceof KeycloakException)) throw error;
      this.#logger.warn('Token claims unavailable', { code: error.code, reason: error.reason });
      return undefined;
    }
  }
}
