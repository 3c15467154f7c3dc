import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { startFakeService } from './fake-service.js';

export type BentAnswer =
  | 'hang'
  | 'reset'
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };

export interface BentServer {
  readonly url: string;
  bend: (url: URL) => BentAnswer | undefined;
  stop(): Promise<void>;
}

export async function startBentServer(target: string): Promise<BentServer> {
  const service = await startFakeService((incoming, outgoing) => {
    const answer = bent.bend(new URL(incoming.url ?? '/', target));
    if (answer === undefined) void forwardStatuses(target, incoming, outgoing).catch(() => outgoing.destroy());
    else if (answer === 'reset') incoming.socket.resetAndDestroy();
    else if (answer !== 'hang') {
      outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
    }
  });
  const bent: BentServer = { url: service.url, bend: () => undefined, stop: () => service.stop() };
  return bent;
}

async function forwardStatuses(target: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { method, url, headers } = incoming;
  const sent = request(new URL(url ?? '/', target), { ...(method === undefined ? {} : { method }), headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });
  await pipeline(incoming, sent);
  const answer = await answered;
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, outgoing);
}
