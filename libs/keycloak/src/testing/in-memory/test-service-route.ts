/** TestServiceRoute: how one kind of call to another service is answered, time after time. */
import { NoAnswer, noAnswerFor, type NetworkFault, type SentAnswer } from './in-memory-connections.js';
import type { TestServiceCall } from './test-service-call.js';

export type TestServiceMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface TestServiceReply {
  /** 200 to 599. */
  readonly status: number;
  /** Sent as JSON; undefined for none. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Answer = (call: TestServiceCall) => TestServiceReply | Promise<TestServiceReply>;

export class TestServiceRoute {
  /** As it is sent: what an address can't hold is percent-encoded. */
  readonly #path: string | RegExp;
  readonly #answers: Answer[] = [];
  #turn = 0;

  /** For `testServices(app).on(…)`. @internal */
  constructor(
    readonly service: string,
    private readonly method: TestServiceMethod,
    path: string | RegExp,
  ) {
    if (typeof path === 'string' && !path.startsWith('/')) throw new TypeError('A path begins with "/"');
    this.#path = typeof path === 'string' ? asSent(path) : path;
  }

  /**
   * One answer, fixed or made of the call. Said again, answers are given in turn, and the last one stays: the replay after a
   * 401 is `.reply(401, undefined, { 'www-authenticate': 'Bearer error="invalid_token"' }).reply(200, …)`.
   */
  reply(status: number, body?: unknown, headers?: Readonly<Record<string, string>>): this;
  reply(answer: (call: TestServiceCall) => TestServiceReply | Promise<TestServiceReply>): this;
  reply(status: number | Answer, body?: unknown, headers: Readonly<Record<string, string>> = {}): this {
    if (typeof status === 'function') return this.#add(status);
    const reply = { status, body, headers };
    sentAnswer(reply);
    return this.#add(() => reply);
  }

  /**
   * No answer at all, in turn with others. As in life, what can be sent twice is, after a `reset`: the call fails when there
   * is no answer the second time either.
   */
  fail(fault: NetworkFault): this {
    return this.#add(() => Promise.reject(noAnswerFor(fault)));
  }

  /** Such as `GET /stock/1`. @internal */
  get name(): string {
    return `${this.method} ${String(this.#path)}`;
  }

  /** @internal */
  fits({ service, method, path }: TestServiceCall): boolean {
    if (service !== this.service || method !== this.method) return false;
    if (typeof this.#path !== 'string')
      return new RegExp(this.#path.source, this.#path.flags.replace(/[gy]/g, '')).test(path);
    return path === this.#path || path.split('?')[0] === this.#path;
  }

  /** @internal */
  async answer(call: TestServiceCall): Promise<SentAnswer> {
    const answer = this.#answers[Math.min(this.#turn++, this.#answers.length - 1)];
    if (answer === undefined)
      throw new NoAnswer(`${this.name} at service "${this.service}" has neither reply() nor fail()`);
    try {
      return sentAnswer(await answer(call));
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
      throw new NoAnswer(`The answer to ${this.name} at service "${this.service}" can't be made: ${String(error)}`);
    }
  }

  #add(answer: Answer): this {
    this.#answers.push(answer);
    return this;
  }
}

function asSent(path: string): string {
  const { pathname, search } = new URL(`http://service${path}`);
  return pathname + search;
}

function sentAnswer({ status, body, headers = {} }: TestServiceReply): SentAnswer {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`${status} is no status of an answer`);
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return { status, headers: { ...type, ...Object.fromEntries(named) }, body: JSON.stringify(body) ?? '' };
}
