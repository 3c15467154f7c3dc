/** TestServices: what the other services are to one application under test, as answers and not as servers. */
import type { ServiceAddress } from '../../http/network.js';
import { NoAnswer, type SentAnswer, type SentRequest } from './in-memory-connections.js';
import type { TestServiceCall } from './test-service-call.js';
import { TestServiceRoute, type TestServiceMethod } from './test-service-route.js';
import type { TestTokens } from './test-tokens.js';

/**
 * The services of `KeycloakModule.forFeature`, by their names. All of a call but the network is real: the token that is got
 * or reused for it, the one replay after a 401, the bounds, the errors.
 */
export class TestServices {
  readonly #services = new Map<string, ServiceAddress>();
  readonly #routes: TestServiceRoute[] = [];
  readonly #calls: TestServiceCall[] = [];
  readonly #unexpected: TestServiceCall[] = [];

  constructor(private readonly tokens: TestTokens) {}

  /** Every call in order, replays and unexpected ones included. */
  get calls(): readonly TestServiceCall[] {
    return [...this.#calls];
  }

  /** Those that nobody had told how to answer. They fail with `service_unavailable`, whose message says what is missing. */
  get unexpected(): readonly TestServiceCall[] {
    return [...this.#unexpected];
  }

  /**
   * How a call is answered, by what is said of it next: `.reply(…)` or `.fail(…)`, or several in turn. The last
   * registration that fits counts.
   *
   * `path` is below the service's base URL. A text fits that path with any query, or with its own when it has one; a regular
   * expression is held against path and query.
   *
   * Throws `Error` for a service that the application does not have, and `TypeError` for a path without its slash.
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

  /** Forgets calls and answers alike, as between two tests. Tokens are kept by the application, as they are in life. */
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
    const route = this.#routes.findLast((known) => known.fits(call));
    if (route !== undefined) return route.answer(call);
    this.#unexpected.push(call);
    throw new NoAnswer(this.#whatIsMissing(call));
  }

  /** Undefined when the token is none that this application was issued, or has ended. */
  #callOf({ name, baseUrl }: ServiceAddress, request: SentRequest): TestServiceCall | undefined {
    const { authorization = '', ...headers } = request.headers;
    const token = this.tokens.find(authorization.replace(/^Bearer /, ''));
    if (token?.grant === undefined) return undefined;
    const { sub, azp, aud, scope } = token.claims;
    return {
      service: name,
      method: request.method,
      path: request.path.slice(new URL(baseUrl).pathname.replace(/\/$/, '').length),
      headers,
      body: request.body === undefined ? undefined : (JSON.parse(request.body) as unknown),
      grant: token.grant,
      subject: String(sub),
      client: String(azp),
      audience: aud === undefined ? undefined : String(aud),
      scope: String(scope),
    };
  }

  #whatIsMissing({ service, method, path }: TestServiceCall): string {
    const there = this.#routes.filter((route) => route.service === service).map((route) => route.name);
    return [
      `No answer is registered for ${method} ${path} at service "${service}", only for: ${there.join(', ') || 'nothing'}.`,
      `Add testServices(app).on('${service}', '${method}', '${path}').reply(…)`,
    ].join(' ');
  }
}

const INVALID_TOKEN = { 'www-authenticate': 'Bearer error="invalid_token"' };
