/** RunningChain: Services A, B and C in this process, on free ports, against Keycloak. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import { createService, serviceAdapter, type ServiceModule } from 'service-defaults';
import { ServiceAModule } from '../../apps/service-a/src/service-a.module.js';
import { ServiceBModule } from '../../apps/service-b/src/service-b.module.js';
import { ServiceCModule } from '../../apps/service-c/src/service-c.module.js';
import { issuer, keycloakUrl, publicUrl, REALM, SECRETS } from './keycloak.js';
import { KeycloakRecorder } from './keycloak-recorder.js';

export interface Route {
  readonly method: string;
  readonly url: string;
}

export interface RunningService {
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly routes: readonly Route[];
  /** SHA-256 of each token that arrived, in order. */
  readonly arrivedTokens: readonly string[];
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const asText = (chunk: string | Uint8Array): string =>
  typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();

/** Those of this spec; what a service answers is shown to each. */
const scanners = new Set<TokenLeakScanner>();

/**
 * Takes the log lines of the services (JSON, each a write of its own); whatever else is printed goes its way. In all of it and
 * in all that the services answer, no token and no secret may be.
 */
export class ServiceOutput {
  readonly lines: string[] = [];
  readonly leaks: TokenLeakScanner;
  readonly #streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));

  constructor() {
    for (const { stream, write } of this.#streams) {
      stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
        if (!asText(chunk).startsWith('{"level":')) return Reflect.apply(write, stream, [chunk, ...rest]) as boolean;
        this.lines.push(asText(chunk));
        return true;
      };
    }
    // In front of this, so that it sees these lines too.
    this.leaks = TokenLeakScanner.start();
    for (const secret of Object.values(SECRETS)) this.leaks.addToken(secret);
    scanners.add(this.leaks);
  }

  /** @throws TokenLeakError when a token was to be seen. */
  restore(): void {
    this.leaks.stop();
    scanners.delete(this.leaks);
    for (const { stream, write } of this.#streams) stream.write = write;
    this.leaks.assertNone();
  }
}

export type Variables = Readonly<Record<string, string>>;

export interface ListenAt {
  readonly port: number;
  readonly host: string;
}

const ANYWHERE: ListenAt = { port: 0, host: '127.0.0.1' };

/** On all addresses, since Keycloak may be in a container. */
export const AT_PUBLIC_URL: ListenAt = { port: Number(new URL(publicUrl).port), host: '0.0.0.0' };

/** How long a spec may have to wait for that address, which one at a time can have. */
export const PUBLIC_URL_WITHIN_MS = 300_000;

/**
 * Starts one service with `variables`, on a free port unless it is told one; the process' own variables are as before
 * afterwards.
 */
export async function startService(
  module: ServiceModule,
  variables: Variables,
  listenAt: ListenAt = ANYWHERE,
): Promise<RunningService> {
  for (const began = performance.now(); ; await sleep(500)) {
    try {
      return await startAt(module, variables, listenAt);
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isTaken || performance.now() - began > PUBLIC_URL_WITHIN_MS) throw error;
    }
  }
}

async function startAt(module: ServiceModule, variables: Variables, { port, host }: ListenAt): Promise<RunningService> {
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
    for (const leaks of scanners) leaks.inspect(`the answer to ${method} ${url.split('?')[0]}`, text);
  });
  const app = await withVariables({ NODE_ENV: 'test', ...variables }, () =>
    createService(module.register({ demoMode: variables['DEMO_MODE'] === 'true' }), { logFormat: 'json' }, adapter),
  );
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    throw error;
  }
  return { url: (await app.getUrl()).replace('[::1]', 'localhost'), app, routes, arrivedTokens };
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

/** What all three are told of Keycloak; `baseUrl` may lead through a recorder or to nowhere. */
export function keycloakVariables(baseUrl: string): Variables {
  return { KEYCLOAK_BASE_URL: baseUrl, KEYCLOAK_REALM: REALM, KEYCLOAK_ISSUER: issuer() };
}

export class RunningChain {
  private constructor(
    readonly a: RunningService,
    readonly b: RunningService,
    readonly c: RunningService,
    readonly keycloak: KeycloakRecorder,
    private readonly output: ServiceOutput,
  ) {}

  /** In demo mode, and asking Keycloak for every request, unless `further` says otherwise. */
  static async start(further: Variables = {}, listenAt?: ListenAt): Promise<RunningChain> {
    const output = new ServiceOutput();
    const keycloak = await KeycloakRecorder.start(keycloakUrl(), output.leaks);
    const defaults = { DEMO_MODE: 'true', INTROSPECTION_TTL_SECONDS: '0' };
    const variables = { ...keycloakVariables(keycloak.baseUrl), ...defaults, ...further };
    const c = await startService(ServiceCModule, { ...variables, SERVICE_C_CLIENT_SECRET: SECRETS['service-c'] });
    const b = await startService(ServiceBModule, {
      ...variables,
      SERVICE_B_CLIENT_SECRET: SECRETS['service-b'],
      SERVICE_C_URL: c.url,
      // For the attacks, where it is known beforehand.
      ...(further['PUBLIC_URL'] === undefined ? {} : { SERVICE_A_URL: further['PUBLIC_URL'] }),
    });
    const urls = { SERVICE_B_URL: b.url, SERVICE_C_URL: c.url };
    const ofA = { ...variables, ...urls, SERVICE_A_CLIENT_SECRET: SECRETS['service-a'] };
    const a = await startService(ServiceAModule, ofA, listenAt);
    return new RunningChain(a, b, c, keycloak, output);
  }

  /** With Service A where browsers are sent back to after a login. */
  static startForBrowsers(further: Variables = {}): Promise<RunningChain> {
    return RunningChain.start({ PUBLIC_URL: publicUrl, ...further }, AT_PUBLIC_URL);
  }

  /** Everything that the services have printed. */
  printed(): string {
    return this.output.lines.join('');
  }

  /** Knows all tokens that Keycloak gave the services. */
  get leaks(): TokenLeakScanner {
    return this.output.leaks;
  }

  /** @throws TokenLeakError when a token was to be seen. */
  async stop(): Promise<void> {
    for (const { app } of [this.a, this.b, this.c]) await app.close();
    await this.keycloak.stop();
    this.output.restore();
  }
}
