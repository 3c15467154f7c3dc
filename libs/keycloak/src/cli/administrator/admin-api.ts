/** Reads the settings of a realm from the Admin API, by GET requests only. */
import type { AuthorizationServerFetch } from '../../authorization-server/authorization-server-fetch.js';

export class AdminApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const PAGE = 100;
const MAX_PAGES = 200;

export type Representation = Readonly<Record<string, unknown>>;

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

  async read(path: string): Promise<Representation> {
    const answer = await this.#get(this.#realm + path);
    if (isRepresentation(answer)) return answer;
    throw new AdminApiError(`${path} does not answer in the format of Keycloak`, 200);
  }

  async readList(path: string): Promise<readonly Representation[]> {
    const answer = await this.#get(this.#realm + path);
    if (Array.isArray(answer)) return answer.filter(isRepresentation);
    throw new AdminApiError(`${path} does not answer in the format of Keycloak`, 200);
  }

  async readPages(path: string): Promise<readonly Representation[]> {
    const byId = new Map<unknown, Representation>();
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const before = byId.size;
      for (const one of await this.readList(`${path}?first=${page * PAGE}&max=${PAGE}`)) byId.set(one['id'], one);
      // A server that ignores `first` returns the same page again, without new ids.
      if (byId.size < before + PAGE) return [...byId.values()];
    }
    throw new AdminApiError(`${path} returns more than ${MAX_PAGES * PAGE} entries`, 200);
  }

  async ifAllowed<T>(reading: Promise<T>): Promise<T | undefined> {
    return reading.catch((failure: unknown) => {
      if (failure instanceof AdminApiError && [403, 404].includes(failure.status)) return undefined;
      throw failure;
    });
  }

  async serverInfo(): Promise<Representation | undefined> {
    const info = await this.ifAllowed(this.#get(`${this.#base}/serverinfo`));
    return isRepresentation(info) ? info : undefined;
  }

  async #get(url: string): Promise<unknown> {
    const response = await this.server.fetch(url, { headers: { authorization: `Bearer ${this.token}` } });
    const { pathname } = new URL(url);
    if (response.status !== 200) throw new AdminApiError(`${pathname} answers ${response.status}`, response.status);
    return response.json().catch(() => {
      throw new AdminApiError(`${pathname} does not answer with JSON`, response.status);
    });
  }
}

const isRepresentation = (value: unknown): value is Representation =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
