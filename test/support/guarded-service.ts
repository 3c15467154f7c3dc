/** GuardedService: Service B in this process, told of any authorization server, and what it answers a caller. */
import { ServiceBModule } from '../../apps/service-b/src/service-b.module.js';
import { REALM, SECRETS } from './keycloak.js';
import { startService, type RunningService } from './running-chain.js';

/** Where a server is reached, and what it calls itself. */
export interface ServerAddress {
  readonly baseUrl: string;
  readonly issuer: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly code: unknown;
  readonly reason: unknown;
  readonly retryAfter: string | null;
  readonly challenge: string | null;
  readonly tookMs: number;
}

export class GuardedService {
  private constructor(private readonly service: RunningService) {}

  /** In demo mode: its answers tell the reason of a refusal. Services are started one after the other, not at once. */
  static async start({ baseUrl, issuer }: ServerAddress, ttlSeconds: number): Promise<GuardedService> {
    const service = await startService(ServiceBModule, {
      KEYCLOAK_BASE_URL: baseUrl,
      KEYCLOAK_ISSUER: issuer,
      KEYCLOAK_REALM: REALM,
      DEMO_MODE: 'true',
      INTROSPECTION_TTL_SECONDS: String(ttlSeconds),
      SERVICE_B_CLIENT_SECRET: SECRETS['service-b'],
      // Nothing listens there: what is looked at here needs no other service.
      SERVICE_C_URL: 'http://127.0.0.1:9',
    });
    return new GuardedService(service);
  }

  get url(): string {
    return this.service.url;
  }

  /** What the service says to whoever holds this token. */
  whoami(token: string): Promise<ServiceAnswer> {
    return this.#get('/api/whoami', { Authorization: `Bearer ${token}` });
  }

  ready(): Promise<ServiceAnswer> {
    return this.#get('/health/ready', {});
  }

  live(): Promise<ServiceAnswer> {
    return this.#get('/health/live', {});
  }

  async stop(): Promise<void> {
    await this.service.app.close();
  }

  async #get(path: string, headers: Record<string, string>): Promise<ServiceAnswer> {
    const startMs = performance.now();
    const response = await fetch(this.service.url + path, { headers });
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
