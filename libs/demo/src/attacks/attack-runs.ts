/** AttackRuns: limits how many attacks run and wait at a time, and reports an attack that could not be made. */
import { bulkhead, BulkheadRejectedError } from 'cockatiel';
import { Logger } from '@nestjs/common';
import { KeycloakException } from 'nestjs-keycloak-s2s';
import { AttackNotRun } from './attempt.js';

/** "Run all" makes one attack at a time. So a few slots serve many visitors, and no visitor can use the service for a flood. */
const MAX_RUNNING = 4;
const MAX_WAITING = 16;

export class AttackRuns {
  readonly #logger = new Logger('Attacks');
  readonly #bulkhead = bulkhead(MAX_RUNNING, MAX_WAITING);

  /** Never rejects: when an attack could not be made, the result says why. */
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

/** For people: why an attack could not be made. */
export function failureReason(error: unknown): string {
  if (error instanceof AttackNotRun) return error.message;
  if (error instanceof BulkheadRejectedError) return 'Too many attacks are running: try again in a moment.';
  if (error instanceof KeycloakException)
    return `A service on the way refused or failed: ${error.code} (${error.reason}).`;
  // Any other error may carry a request, so none of it is shown.
  return 'The attack itself failed: it has a bug.';
}
