import { sentPath } from '../../protocol/request-path.js';
import { NoAnswer, noAnswerFor, type NetworkFault, type SentAnswer } from './in-memory-connections.js';
import type { TestServiceCall } from './test-service-call.js';

export type TestServiceMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface TestServiceReply {
  /** The status, from 200 to 599. */
  readonly status: number;
  /**
   * The body. Bytes are sent unchanged, undefined is sent as an empty body, and all other values are sent as JSON. A
   * string is also sent unchanged if `headers` sets a content type other than JSON.
   */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Answer = (call: TestServiceCall) => TestServiceReply | Promise<TestServiceReply>;

export class TestServiceRoute {
  readonly #path: string | RegExp;
  readonly #answers: Answer[] = [];
  #turn = 0;

  /** @internal */
  constructor(
    readonly service: string,
    private readonly method: TestServiceMethod,
    path: string | RegExp,
  ) {
    this.#path = typeof path === 'string' ? asSent(path) : path;
  }

  /**
   * Adds an answer, which is fixed or computed from the call. The route returns its answers in turn, and repeats the
   * last answer.
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
   * Adds a network fault to the answers of the route. As in production, a call that is safe to repeat is repeated after
   * a `reset`.
   */
  fail(fault: NetworkFault): this {
    return this.#add(() => Promise.reject(noAnswerFor(fault)));
  }

  /** @internal */
  get name(): string {
    return `${this.method} ${String(this.#path)}`;
  }

  /** @internal */
  matches({ service, method, path }: TestServiceCall): boolean {
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
  const sent = path.startsWith('/') ? sentPath(path) : undefined;
  if (sent !== undefined) return sent;
  throw new TypeError(
    'A path must begin with "/" and must not contain a dot segment, backslash, "#", control character (encoded or not) or lone surrogate',
  );
}

function sentAnswer({ status, body, headers = {} }: TestServiceReply): SentAnswer {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`The status must be an integer from 200 to 599, not ${status}`);
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const given = Object.fromEntries(named);
  if (body instanceof Uint8Array) return { status, headers: { 'content-type': BYTES, ...given }, body };
  if (typeof body === 'string' && !isJson(given['content-type'])) return { status, headers: given, body };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return { status, headers: { ...type, ...given }, body: JSON.stringify(body) ?? '' };
}

const BYTES = 'application/octet-stream';

const isJson = (type = 'application/json'): boolean => /^application\/json\b/i.test(type);
