/** AdminApi: reads a realm by Keycloak's admin REST API with an administrator's token. It sends nothing but GET. */
import type { AuthorizationServerFetch } from '../authorization-server/authorization-server-fetch.js';

/** The API did not answer as it should; the message is for people. */
export class AdminApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const PAGE = 100;

export class AdminApi {
  readonly #base: string;
  readonly #realm: string;

  constructor(
    private readonly server: Pick<AuthorizationServerFetch, 'fetch'>,
    realmUrl: string,
    private readonly token: string,
  ) {
    const at = realmUrl.lastIndexOf('/realms/');
    this.#base = `${realmUrl.slice(0, at)}/admin`;
    this.#realm = `${this.#base}${realmUrl.slice(at)}`;
  }

  /** Below the realm. Throws `AdminApiError` for an answer that is no success, and `AuthorizationServerError` when there is none. */
  async read<T>(path: string): Promise<T> {
    return this.#get(this.#realm + path) as Promise<T>;
  }

  /** The same of a list that may be long. */
  async readAll<T>(path: string): Promise<T[]> {
    const all: T[] = [];
    for (;;) {
      const page = await this.read<T[]>(`${path}?first=${all.length}&max=${PAGE}`);
      all.push(...page);
      if (page.length < PAGE) return all;
    }
  }

  /** Undefined for one that the administrator may not see, or that is not there. */
  async readIfAllowed<T>(path: string): Promise<T | undefined> {
    return this.read<T>(path).catch(undefinedIfRefused);
  }

  /** Keycloak's version; undefined where this administrator may not see it. */
  async version(): Promise<string | undefined> {
    const info = await this.#get(`${this.#base}/serverinfo`).catch(undefinedIfRefused);
    const { systemInfo } = (info ?? {}) as { readonly systemInfo?: { readonly version?: string } };
    return systemInfo?.version;
  }

  async #get(url: string): Promise<unknown> {
    const response = await this.server.fetch(url, { headers: { authorization: `Bearer ${this.token}` } });
    if (response.status === 200) return response.json();
    throw new AdminApiError(`${new URL(url).pathname} answers ${response.status}`, response.status);
  }
}

function undefinedIfRefused(failure: unknown): undefined {
  if (failure instanceof AdminApiError && [401, 403, 404].includes(failure.status)) return undefined;
  throw failure;
}
