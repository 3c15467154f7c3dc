/** Answer head: the part of an answer of a service that says how the call ended. */

export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}
