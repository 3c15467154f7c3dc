/** RunningLab: Services A, B and C in demo mode against one server, so addressed that each can be attacked by the others. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from 'keycloak-test-servers';
import type { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import { ServiceAModule } from '../../apps/service-a/src/service-a.module.js';
import { ServiceBModule } from '../../apps/service-b/src/service-b.module.js';
import { ServiceCModule } from '../../apps/service-c/src/service-c.module.js';
import type { ServerAddress } from './guarded-service.js';
import { REALM, SECRETS } from './keycloak.js';
import { KeycloakRecorder } from './keycloak-recorder.js';
import { ServiceOutput, startService, type RunningService, type Variables } from './running-chain.js';

/** A service that answers whatever it is asked with this. */
export interface FakeService {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startFakeService(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<FakeService> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const answering =
  (status: number, body: object) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

export interface LabOptions {
  /** Where Service A listens. */
  readonly port?: number;
  /** For all three. */
  readonly variables?: Variables;
  /** For Service A. */
  readonly ofA?: Variables;
}

export class RunningLab {
  private constructor(
    readonly a: RunningService,
    readonly b: RunningService,
    readonly c: RunningService,
    readonly keycloak: KeycloakRecorder,
    private readonly output: ServiceOutput,
  ) {}

  static async start(server: ServerAddress, { port, variables = {}, ofA = {} }: LabOptions = {}): Promise<RunningLab> {
    const output = new ServiceOutput();
    const keycloak = await KeycloakRecorder.start(server.baseUrl, output.leaks);
    const portOfA = port ?? (await freePort());
    const urlOfA = `http://localhost:${portOfA}`;
    const common = {
      KEYCLOAK_BASE_URL: keycloak.baseUrl,
      KEYCLOAK_ISSUER: server.issuer,
      KEYCLOAK_REALM: REALM,
      DEMO_MODE: 'true',
      ...variables,
    };
    const c = await startService(ServiceCModule, { ...common, SERVICE_C_CLIENT_SECRET: SECRETS['service-c'] });
    const b = await startService(ServiceBModule, {
      ...common,
      SERVICE_B_CLIENT_SECRET: SECRETS['service-b'],
      SERVICE_C_URL: c.url,
      SERVICE_A_URL: urlOfA,
    });
    const a = await startService(
      ServiceAModule,
      {
        ...common,
        SERVICE_A_CLIENT_SECRET: SECRETS['service-a'],
        SERVICE_B_URL: b.url,
        SERVICE_C_URL: c.url,
        PUBLIC_URL: urlOfA,
        ...ofA,
      },
      { port: portOfA, host: '127.0.0.1' },
    );
    return new RunningLab({ ...a, url: urlOfA }, b, c, keycloak, output);
  }

  printed(): string {
    return this.output.lines.join('');
  }

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
