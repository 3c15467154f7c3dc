/** AttackRuns: how many attacks may run and wait at a time, and what becomes of one that fails on its way. */
import { bulkhead, BulkheadRejectedError } from 'cockatiel';
import { Logger } from '@nestjs/common';
import { Refusal } from 'nestjs-keycloak-s2s';
import { AttackNotRun, type Attempt } from './attempt.js';

/** One visitor's "Run all" is one at a time; so few do for many visitors, and none can make the service a flood. */
const MAX_RUNNING = 4;
const MAX_WAITING = 16;

export class AttackRuns {
  readonly #logger = new Logger('Attacks');
  readonly #bulkhead = bulkhead(MAX_RUNNING, MAX_WAITING);

  /** Never rejects: an attack that could not be made says why. */
  async run(id: string, make: () => Promise<Attempt>): Promise<Attempt> {
    try {
      return await this.#bulkhead.execute(make);
    } catch (error) {
      const notRun = whyNot(error);
      this.#logger.warn('Attack not run', { attack: id, why: notRun });
      return { notRun };
    }
  }
}

function whyNot(error: unknown): string {
  if (error instanceof AttackNotRun) return error.message;
  if (error instanceof BulkheadRejectedError) return 'Too many attacks are under way: try again in a moment.';
  if (error instanceof Refusal) return `A service on the way refused or failed: ${error.code} (${error.reason}).`;
  // Whatever else it is may carry a request: nothing of it is told.
  return 'The attack itself failed: it has a bug.';
}
