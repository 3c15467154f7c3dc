/** ChainTokens: the claims of the tokens of a chain, as reported by the services that were called with them. */
import { Injectable, Logger } from '@nestjs/common';
import { Refusal, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';
import { ProcessingClient } from '../processing.client.js';

@Injectable()
export class ChainTokens {
  readonly #logger = new Logger('ChainTokens');

  constructor(private readonly processing: ProcessingClient) {}

  /**
   * The user's token at Service A, if there is one, and the tokens at B and C. Works in demo mode only, since the other services
   * report tokens only then. Returns undefined when they are unavailable; the chain itself has succeeded all the same.
   */
  async of(service: string, caller: VerifiedAccessToken | undefined): Promise<readonly SeenToken[] | undefined> {
    try {
      const further = await this.processing.tokens(caller);
      return caller === undefined ? further : [seenToken(service, caller), ...further];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#logger.warn('Token claims unavailable', { code: error.code, reason: error.reason });
      return undefined;
    }
  }
}
