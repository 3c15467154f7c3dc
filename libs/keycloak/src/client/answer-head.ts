/** Answer head: the status and headers of a service's answer. */

export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}
