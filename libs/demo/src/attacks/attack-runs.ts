import { bulkhead, BulkheadRejectedError } from 'cockatiel';
import { Logger } from '@nestjs/common';
import { KeycloakException } from 'nestjs-keycloak-s2s';
import { AttackNotRun } from './attempt.js';

const MAX_RUNNING = 4;
const MAX_WAITING = 16;

export class AttackRuns {
  readonly #logger = new Logger('Attacks');
  readonly #bulkhead = bulkhead(MAX_RUNNING, MAX_WAITING);

  /** Never rejects: if the attack fails, the promise resolves with the reason as `notRun`. */
  async run<T>(id: string, make: () => Promise<T>): Promise<T | { readonly notRun: string }> {
    try {
      return await this.#bulkhead.execute(make);
    } catch (error) {
      const notRun = failureReason(error);
      this.#logger.warn('Attack not run', { attack: id, why: notRun });
      return { notRun };
    }
  }
}

export function failureReason(error: unknown): string {
  if (error instanceof AttackNotRun) return error.message;
  if (error instanceof BulkheadRejectedError) return 'Too many attacks are running: try again in a moment.';
  if (error instanceof KeycloakException)
    return `A service on the way refused or failed: ${error.code} (${error.reason}).`;
  return 'The attack itself failed: it has a bug.';
}
