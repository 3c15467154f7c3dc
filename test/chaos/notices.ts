import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';

export interface Notice {
  readonly subject: string;
  readonly status: number;
  readonly atMs: number;
}

const PATH = '/auth/backchannel-logout';

export class NoticeProxy {
  readonly notices: Notice[] = [];
  onUntaken: () => void = () => undefined;
  readonly #server: Server;

  private constructor(serviceA: string) {
    this.#server = createServer((incoming, outgoing) => {
      void (async () => {
        const body = await text(incoming);
        const status = await fetch(serviceA + PATH, {
          method: 'POST',
          headers: { 'content-type': incoming.headers['content-type'] ?? '' },
          body,
        }).then(
          async (response) => (await response.body?.cancel(), response.status),
          () => 502,
        );
        const subject = String(claimsOf(new URLSearchParams(body).get('logout_token') ?? '')['sub']);
        this.notices.push({ subject, status, atMs: performance.now() });
        if (status !== 200) this.onUntaken();
        outgoing.writeHead(status).end();
      })().catch(() => outgoing.destroy());
    });
  }

  /** Starts a proxy on all addresses, because Keycloak may run in a container. */
  static async start(port: number, serviceA: string): Promise<NoticeProxy> {
    const proxy = new NoticeProxy(serviceA);
    await new Promise<void>((resolve) => void proxy.#server.listen(port, resolve));
    return proxy;
  }

  takenSince(subject: string, sinceMs: number): number | undefined {
    const own = this.notices.filter((notice) => notice.subject === subject && notice.atMs >= sinceMs);
    if (own.length === 0 || own.some(({ status }) => status !== 200)) return undefined;
    return Math.max(...own.map(({ atMs }) => atMs));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
