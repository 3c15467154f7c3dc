import { request as httpRequest } from 'node:http';
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { KeyPair } from '../../libs/keycloak/spec-support/certificates.js';

export class TlsTerminator {
  readonly requests: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(target: string, { key, cert }: KeyPair, renames = false): Promise<TlsTerminator> {
    const { host, hostname, port } = new URL(target);
    const server = createServer({ key, cert }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const terminator = new TlsTerminator(server, `https://localhost:${(server.address() as AddressInfo).port}`);
    const rename = (answer: string): string => answer.replaceAll(target, terminator.url);
    server.on('request', (incoming, outgoing) => {
      terminator.requests.push(`${incoming.method} ${(incoming.url ?? '').split('?')[0]}`);
      const { method, url, headers } = incoming;
      const onward = httpRequest({ hostname, port, method, path: url, headers: { ...headers, host } });
      incoming.pipe(onward);
      onward.on('error', () => outgoing.destroy());
      onward.on('response', (answer) => {
        const { statusCode = 502, headers: given } = answer;
        if (!renames) {
          outgoing.writeHead(statusCode, given);
          answer.pipe(outgoing);
          return;
        }
        const { 'content-length': _, 'transfer-encoding': __, ...others } = given;
        void text(answer).then(
          (whole) => outgoing.writeHead(statusCode, others).end(rename(whole)),
          () => outgoing.destroy(),
        );
      });
    });
    return terminator;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
