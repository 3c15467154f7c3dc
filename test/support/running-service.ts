import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuthorizationServerHealth } from 'nestjs-keycloak-s2s';
import { privateKeyJwt } from 'nestjs-keycloak-s2s/client-authentication';
import type { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import { createService, serviceAdapter, type ServiceModule } from 'service-defaults';

export interface Route {
  readonly method: string;
  readonly url: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly code: unknown;
  readonly reason: unknown;
  readonly retryAfter: string | null;
  readonly challenge: string | null;
  readonly tookMs: number;
}

export type Variables = Readonly<Record<string, string>>;

export interface ListenAt {
  readonly port: number;
  readonly host: string;
  readonly url?: string;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const PUBLIC_URL_WITHIN_MS = 300_000;

export class RunningService {
  private constructor(
    readonly url: string,
    readonly app: NestFastifyApplication,
    readonly routes: readonly Route[],
    /** The SHA-256 hashes of the received tokens in order of arrival. */
    readonly arrivedTokens: readonly string[],
  ) {}

  static async start(
    module: ServiceModule,
    variables: Variables,
    listenAt: ListenAt,
    scanner: TokenLeakScanner,
  ): Promise<RunningService> {
    for (const began = performance.now(); ; await sleep(500)) {
      try {
        return await RunningService.#startOnce(module, variables, listenAt, scanner);
      } catch (error) {
        // The check `instanceof Error` would fail, because Jest has a separate global class `Error`.
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (!isTaken || performance.now() - began > PUBLIC_URL_WITHIN_MS) throw error;
      }
    }
  }

  static async #startOnce(
    module: ServiceModule,
    variables: Variables,
    listenAt: ListenAt,
    scanner: TokenLeakScanner,
  ): Promise<RunningService> {
    const adapter = serviceAdapter();
    const routes: Route[] = [];
    const arrivedTokens: string[] = [];
    const fastify = adapter.getInstance();
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const name of [method].flat()) routes.push({ method: name, url });
    });
    fastify.addHook('onRequest', async ({ headers }) => {
      const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
      if (token !== undefined) arrivedTokens.push(sha256(token));
    });
    fastify.addHook('onSend', async ({ method, url }, reply, body) => {
      const text = JSON.stringify(reply.getHeaders()) + (body instanceof Uint8Array ? body.toString() : String(body));
      scanner.inspect(`the answer to ${method} ${url.split('?')[0]}`, text);
    });
    const [, keyFile] = Object.entries(variables).find(([name]) => name.endsWith('_CLIENT_KEY_FILE')) ?? [];
    const app = await withVariables({ NODE_ENV: 'test', ...variables }, () =>
      createService(
        module.register({ demoMode: variables['DEMO_MODE'] === 'true' }),
        {
          logFormat: 'json',
          requestLog: variables['REQUEST_LOG'] === 'true' && 'hash',
          ...(variables['OPENAPI'] === 'true' ? { openApi: { hasPage: true } } : {}),
          ...(keyFile === undefined ? {} : { privateKey: privateKeyJwt({ keyFile }) }),
        },
        adapter,
      ),
    );
    try {
      await app.listen(listenAt.port, listenAt.host);
    } catch (error) {
      await app.close();
      throw error;
    }
    return new RunningService(listenAt.url ?? (await app.getUrl()), app, routes, arrivedTokens);
  }

  whoami(token: string): Promise<ServiceAnswer> {
    return this.#get('/api/whoami', { Authorization: `Bearer ${token}` });
  }

  ready(): Promise<ServiceAnswer> {
    return this.#get('/health/ready', {});
  }

  async reachesKeycloak(): Promise<boolean> {
    return (await this.app.get(AuthorizationServerHealth, { strict: false }).check()).reachable;
  }

  live(): Promise<ServiceAnswer> {
    return this.#get('/health/live', {});
  }

  async stop(): Promise<void> {
    await this.app.close();
  }

  async #get(path: string, headers: Record<string, string>): Promise<ServiceAnswer> {
    const startMs = performance.now();
    const response = await fetch(this.url + path, { headers });
    const body = (await response.json()) as Readonly<Record<string, unknown>>;
    return {
      status: response.status,
      code: body['code'],
      reason: body['reason'],
      retryAfter: response.headers.get('retry-after'),
      challenge: response.headers.get('www-authenticate'),
      tookMs: performance.now() - startMs,
    };
  }
}

async function withVariables<T>(variables: Variables, action: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await action();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
