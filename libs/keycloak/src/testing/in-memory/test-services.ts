import type { ServiceAddress } from '../../http/network.js';
import { NoAnswer, type SentAnswer, type SentRequest } from './in-memory-connections.js';
import type { TestServiceCall } from './test-service-call.js';
import { TestServiceRoute, type TestServiceMethod } from './test-service-route.js';
import type { TestToken } from './test-tokens.js';

/** The services of `KeycloakModule.forFeature` and of the entry point `nestjs-keycloak-s2s/axios`, by name. */
export class TestServices {
  readonly #services = new Map<string, ServiceAddress>();
  readonly #routes: TestServiceRoute[] = [];
  readonly #calls: TestServiceCall[] = [];
  readonly #unexpected: TestServiceCall[] = [];

  constructor(private readonly tokenOf: (text: string) => TestToken | undefined) {}

  /** All calls in their order, including repeated calls and unexpected calls. */
  get calls(): readonly TestServiceCall[] {
    return [...this.#calls];
  }

  /** The calls that matched no registered route; each call failed with `service_unavailable`. */
  get unexpected(): readonly TestServiceCall[] {
    return [...this.#unexpected];
  }

  /**
   * If several routes match a call, the last registered route answers.
   *
   * `path` is relative to the service's base URL. A string without a query matches any query; regular expressions test
   * path and query.
   *
   * Throws `Error` for an unknown service, and `TypeError` for an invalid path.
   */
  on(service: string, method: TestServiceMethod, path: string | RegExp): TestServiceRoute {
    if (!this.#services.has(service)) {
      const known = [...this.#services.keys()].map((name) => JSON.stringify(name)).join(', ');
      throw new Error(`This application has no service ${JSON.stringify(service)}. It has: ${known || 'none'}`);
    }
    const route = new TestServiceRoute(service, method, path);
    this.#routes.push(route);
    return route;
  }

  /** Removes the calls and the answers, but keeps the tokens of the application. */
  reset(): void {
    for (const list of [this.#routes, this.#calls, this.#unexpected]) list.length = 0;
  }

  /** @internal */
  add(service: ServiceAddress): void {
    this.#services.set(service.name, service);
  }

  /** @internal */
  async answer(service: ServiceAddress, request: SentRequest): Promise<SentAnswer> {
    const call = this.#callOf(service, request);
    if (call === undefined) return { status: 401, headers: INVALID_TOKEN, body: '' };
    this.#calls.push(call);
    const route = this.#routes.findLast((registered) => registered.matches(call));
    if (route !== undefined) return route.answer(call);
    this.#unexpected.push(call);
    throw new NoAnswer(this.#missingAnswer(call));
  }

  #callOf({ name, baseUrl }: ServiceAddress, request: SentRequest): TestServiceCall | undefined {
    const { authorization = '', ...headers } = request.headers;
    const token = this.tokenOf(authorization.replace(/^Bearer /, ''));
    if (token?.grant === undefined) return undefined;
    const { sub, azp, aud, scope } = token.claims;
    return {
      service: name,
      method: request.method,
      path: request.path.slice(new URL(baseUrl).pathname.replace(/\/$/, '').length),
      headers,
      body: bodyOf(request),
      grant: token.grant,
      subject: String(sub),
      client: String(azp),
      audience: aud === undefined ? undefined : String(aud),
      scope: String(scope),
    };
  }

  #missingAnswer({ service, method, path }: TestServiceCall): string {
    const registered = this.#routes.filter((route) => route.service === service).map((route) => route.name);
    return [
      `No answer is registered for ${method} ${path} at service "${service}", only for: ${registered.join(', ') || 'nothing'}.`,
      `Add testServices(app).on('${service}', '${method}', '${path}').reply(…)`,
    ].join(' ');
  }
}

function bodyOf({ body, headers }: SentRequest): unknown {
  const type = headers['content-type'] ?? '';
  if (body === undefined) return undefined;
  if (/^application\/json\b/i.test(type)) return JSON.parse(String(body)) as unknown;
  return /^text\/|^application\/x-www-form-urlencoded\b/i.test(type) ? String(body) : Buffer.from(body);
}

const INVALID_TOKEN = { 'www-authenticate': 'Bearer error="invalid_token"' };
