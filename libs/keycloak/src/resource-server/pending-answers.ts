import type { EventEmitter } from 'node:events';

interface Answer extends EventEmitter {
  readonly statusCode: number;
  readonly headersSent: boolean;
  readonly destroyed?: boolean;
  readonly closed?: boolean;
}

export class PendingAnswers {
  readonly #pending = new Map<Answer, () => void>();

  /** Calls `then` once with the status, or with undefined if the connection closes before an answer. */
  whenAnswered(response: object, then: (status: number | undefined) => void): void {
    const { raw: answer = response as Answer } = response as { readonly raw?: Answer };
    const ended = (): void => {
      answer.off('finish', ended).off('close', ended);
      this.#pending.delete(answer);
      then(answer.headersSent ? answer.statusCode : undefined);
    };
    // A closed answer emits no more events, so its entry in `#pending` would stay forever.
    if (answer.headersSent || answer.destroyed === true || answer.closed === true) {
      ended();
      return;
    }
    // A simulated request, such as Fastify's `inject()`, may emit only one of `finish` and `close`.
    answer.on('finish', ended).on('close', ended);
    this.#pending.set(answer, ended);
  }

  /** Reports each answer that has begun: no event reports the beginning, and an event stream may stay open for days. */
  settle(): void {
    for (const [answer, ended] of this.#pending) if (answer.headersSent) ended();
  }
}
