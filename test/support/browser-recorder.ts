import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly sentHeaders: readonly Header[];
  readonly sentBody: string;
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: string;
}

export type Header = readonly [name: string, value: string];

export class BrowserRecorder {
  readonly exchanges: Exchange[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(origins: readonly string[]): Promise<BrowserRecorder> {
    const server = createServer((incoming, outgoing) => {
      void pass(incoming, outgoing, origins, (exchange) => recorder.exchanges.push(exchange)).catch(() =>
        outgoing.destroy(),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const recorder = new BrowserRecorder(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return recorder;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The first line of a request to a proxy contains the absolute URL (RFC 9112 §3.2.2). */
async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  origins: readonly string[],
  record: (exchange: Exchange) => void,
): Promise<void> {
  const { method = '', url = '' } = incoming;
  const body = await buffer(incoming);
  const asked = { method, url, sentHeaders: pairs(incoming.rawHeaders), sentBody: body.toString() };
  if (!origins.includes(new URL(url).origin)) {
    const refusal = 'This proxy does not lead there';
    outgoing.writeHead(403, { 'Content-Type': 'text/plain' }).end(refusal);
    record({ ...asked, status: 403, headers: [], body: refusal });
    return;
  }
  const headers = { ...incoming.headers, 'accept-encoding': 'identity' };
  const forwarded = request(url, { method, headers, agent: false }).end(body);
  const [response] = (await once(forwarded, 'response')) as [IncomingMessage];
  const status = response.statusCode ?? 502;
  const answered = { ...asked, status, headers: pairs(response.rawHeaders) };
  const { 'transfer-encoding': _, connection: __, ...kept } = response.headers;
  outgoing.writeHead(status, kept);
  if (kept['content-type']?.startsWith('text/event-stream') === true) {
    const chunks: Buffer[] = [];
    // The body of an event stream grows while the page receives events.
    record({
      ...answered,
      get body() {
        return Buffer.concat(chunks).toString();
      },
    });
    outgoing.once('close', () => response.destroy());
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).pipe(outgoing);
    return;
  }
  const received = await buffer(response);
  outgoing.end(received);
  record({ ...answered, body: received.toString() });
}

function pairs(raw: readonly string[]): Header[] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ''] as const] : []));
}
