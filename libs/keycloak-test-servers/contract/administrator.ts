/** Each token is valid for a minute. */
const TOKEN_USED_FOR_MS = 20_000;

export interface AdminQuestion {
  readonly body?: unknown;
  /** The value `null` sends the request without a token. */
  readonly authorization?: string | null;
  readonly contentType?: string;
  readonly realm?: string;
}

export class Administrator {
  #login: { readonly token: Promise<string>; readonly until: number } | undefined;

  constructor(
    private readonly baseUrl: string,
    private readonly realm: string,
  ) {}

  async ask(method: string, path: string, question: AdminQuestion = {}): Promise<Response> {
    const { body, authorization = `Bearer ${await this.token()}`, contentType = 'application/json' } = question;
    return fetch(`${this.baseUrl}/admin/realms/${question.realm ?? this.realm}${path}`, {
      method,
      headers: {
        ...(authorization === null ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  async statusOf(method: string, path: string, question: AdminQuestion = {}): Promise<number> {
    const response = await this.ask(method, path, question);
    await response.body?.cancel();
    return response.status;
  }

  async read<T>(path: string): Promise<T> {
    return (await (await this.#succeed('GET', path)).json()) as T;
  }

  async create(path: string, body: object): Promise<string> {
    const { headers } = await this.#succeed('POST', path, body);
    return `${path}/${headers.get('location')?.split('/').at(-1) ?? ''}`;
  }

  async having<T>(path: string, body: object, use: (made: string) => Promise<T>): Promise<T> {
    const made = await this.create(path, body);
    try {
      return await use(made);
    } finally {
      await this.ask('DELETE', made);
    }
  }

  async change(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<void> {
    await this.#succeed(method, path, body);
  }

  token(): Promise<string> {
    if (this.#login === undefined || this.#login.until < Date.now()) {
      this.#login = { token: this.#logIn(), until: Date.now() + TOKEN_USED_FOR_MS };
    }
    return this.#login.token;
  }

  async #logIn(): Promise<string> {
    const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' };
    const url = `${this.baseUrl}/realms/master/protocol/openid-connect/token`;
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    return ((await answer.json()) as { readonly access_token: string }).access_token;
  }

  async #succeed(method: string, path: string, body?: object): Promise<Response> {
    const response = await this.ask(method, path, { body });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}
