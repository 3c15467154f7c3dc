/** ChainTokens: what the tokens of a chain claim, told by the services that were called with them. */
import { Injectable, Logger } from '@nestjs/common';
import { Refusal, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';
import { ProcessingClient } from '../processing.client.js';

@Injectable()
export class ChainTokens {
  readonly #logger = new Logger('ChainTokens');

  constructor(private readonly processing: ProcessingClient) {}

  /**
   * That of the user at Service A, if there is one, and those at B and C. In demo mode only: elsewhere nobody would tell.
   * Undefined when they could not be had, which is no reason to refuse what was done before.
   */
  async of(service: string, caller: VerifiedAccessToken | undefined): Promise<readonly SeenToken[] | undefined> {
    try {
      const further = await this.processing.tokens(caller);
      return caller === undefined ? further : [seenToken(service, caller), ...further];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#logger.warn('The tokens could not be had', { code: error.code, reason: error.reason });
      return undefined;
    }
  }
}
