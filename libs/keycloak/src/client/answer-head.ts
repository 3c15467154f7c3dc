export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}
