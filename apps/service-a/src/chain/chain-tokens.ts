import { Injectable, Logger } from '@nestjs/common';
import { KeycloakException, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';
import { ProcessingClient } from '../processing.client.js';

@Injectable()
export class ChainTokens {
  readonly #logger = new Logger('ChainTokens');

  readonly #callers = new WeakMap<object, VerifiedAccessToken>();

  constructor(private readonly processing: ProcessingClient) {}

  remember(request: object, caller: VerifiedAccessToken): void {
    this.#callers.set(request, caller);
  }

  ofRefused(service: string, request: object): SeenToken | undefined {
    const caller = this.#callers.get(request);
    return caller && seenToken(service, caller);
  }

  /** Returns undefined outside demo mode, and also after a failure, since the failure must not stop the chain. */
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
