import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export const CALL_BOUNDS = {
  maxConcurrentCalls: 100,
  maxQueuedCalls: 500,
  circuitBreakerFailures: 1000,
  circuitBreakerPauseMs: 1000,
};

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Script = (response: ServerResponse, request: RecordedRequest) => unknown;

export const raw =
  (status: number, body = '', headers: Readonly<Record<string, string>> = {}): Script =>
  (response) =>
    response.writeHead(status, headers).end(body);

export const json = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Script =>
  raw(status, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers });

export const hang: Script = () => undefined;
export const breakOff: Script = (response) => response.destroy();
export const hangInBody: Script = (response) =>
  response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"result":');
export const truncated = raw(200, '{"result":20', { 'Content-Type': 'application/json' });
export const html = raw(200, '<html>It works</html>', { 'Content-Type': 'text/html' });

export class NextService {
  readonly requests: RecordedRequest[] = [];
  readonly #scripts = new Map<string, Script>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<NextService> {
    const server = createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
      void (async () => {
        const { method = '', url = '', headers } = incoming;
        const request = { method, url, headers, body: await text(incoming) };
        service.requests.push(request);
        const script = service.#scripts.get(url.split('?')[0] ?? '') ?? raw(404);
        script(response, request);
      })();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const service = new NextService(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return service;
  }

  answer(path: string, script: Script): this {
    this.#scripts.set(path, script);
    return this;
  }

  answerInTurn(path: string, ...scripts: readonly Script[]): this {
    let turn = 0;
    return this.answer(path, (response, request) => scripts[Math.min(turn++, scripts.length - 1)]?.(response, request));
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
