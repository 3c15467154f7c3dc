import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Dispatcher } from 'undici';
import type { Connections } from '../../http/network.js';

export interface SentRequest {
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}

export interface SentAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export class NoAnswer extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/**
 * - `refused`: the connection is refused.
 * - `reset`: the connection breaks before the first byte of an answer.
 * - `timeout`: the request fails immediately, as if the answer had missed its deadline.
 */
export type NetworkFault = 'refused' | 'reset' | 'timeout';

const CODES: Readonly<Record<NetworkFault, string>> = {
  refused: 'ECONNREFUSED',
  reset: 'ECONNRESET',
  timeout: 'UND_ERR_HEADERS_TIMEOUT',
};

export const noAnswerFor = (fault: NetworkFault): NoAnswer => new NoAnswer(CODES[fault]);

/** The tested code itself handles size limits, time limits, aborts and retries. */
export function inMemoryConnections(answer: (request: SentRequest) => Promise<SentAnswer>): Connections {
  return {
    dispatch(options, handler) {
      const controller = new Controller();
      handler.onRequestStart?.(controller, undefined);
      void deliver(answered(options, answer), handler, controller);
      return true;
    },
  };
}

async function deliver(
  answering: Promise<SentAnswer>,
  handler: Dispatcher.DispatchHandler,
  controller: Controller,
): Promise<void> {
  try {
    const { status, headers, body } = await answering;
    if (controller.aborted) return;
    handler.onResponseStart?.(controller, status, { ...headers });
    if (body.length > 0) handler.onResponseData?.(controller, Buffer.from(body));
    handler.onResponseEnd?.(controller, {});
  } catch (error) {
    handler.onResponseError?.(controller, error as Error);
  }
}

async function answered(
  { method, origin, path, headers, body }: Dispatcher.DispatchOptions,
  answer: (request: SentRequest) => Promise<SentAnswer>,
): Promise<SentAnswer> {
  const sent = { method, origin: String(origin), path, headers: byName(headers as readonly string[]) };
  return answer({ ...sent, body: body instanceof Readable ? await buffer(body) : textOf(body) });
}

function textOf(body: Dispatcher.DispatchOptions['body']): string | Buffer | undefined {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined;
  return Buffer.from(body as Uint8Array);
}

function byName(lines: readonly string[]): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  for (let at = 1; at < lines.length; at += 2) all[String(lines[at - 1]).toLowerCase()] = String(lines[at]);
  return all;
}

class Controller implements Dispatcher.DispatchController {
  aborted = false;
  reason: Error | null = null;
  readonly paused = false;

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
  }

  pause(): void {}

  resume(): void {}
}
