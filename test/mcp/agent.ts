/** An agent with the official MCP client: a script in place of a browser logs the user in. */
import {
  Client,
  StreamableHTTPClientTransport,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
} from '@modelcontextprotocol/client';
import { Browser, locationOf } from '../../libs/keycloak-test-servers/contract/browser.js';
import { CALLBACK } from './mcp-realm.js';

type Saved<Name extends 'tokens' | 'clientInformation'> = Awaited<ReturnType<OAuthClientProvider[Name]>>;

export interface AgentOptions {
  readonly url: string;
  readonly username: string;
  readonly mode: 'legacy' | { readonly pin: string };
  readonly learned: (token: string) => void;
}

export class Agent {
  readonly requested: string[] = [];
  readonly #browser = new Browser();
  readonly #transports: StreamableHTTPClientTransport[] = [];
  #saved: Saved<'tokens'>;
  #verifier = '';
  #discovered: OAuthDiscoveryState | undefined;
  #callback: URLSearchParams | undefined;

  constructor(private readonly options: AgentOptions) {}

  get grantedScope(): string {
    return this.#saved?.scope ?? '';
  }

  async call(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
  ): Promise<Awaited<ReturnType<Client['callTool']>>> {
    for (let logins = 0; ; logins += 1) {
      const transport = new StreamableHTTPClientTransport(new URL(this.options.url), {
        authProvider: this.#provider(),
      });
      this.#transports.push(transport);
      const client = new Client({ name: 'agent', version: '1' }, { versionNegotiation: { mode: this.options.mode } });
      try {
        await client.connect(transport);
        return await client.callTool({ name, arguments: args });
      } catch (error) {
        const callback = this.#callback;
        this.#callback = undefined;
        if (callback === undefined || logins === 3) throw error;
        await transport.finishAuth(callback);
      }
    }
  }

  async close(): Promise<void> {
    for (const transport of this.#transports) await transport.close();
  }

  #provider(): OAuthClientProvider {
    return {
      redirectUrl: CALLBACK,
      clientMetadata: { redirect_uris: [CALLBACK], client_name: 'agent' },
      clientInformation: () => ({ client_id: 'agent' }),
      tokens: () => this.#saved,
      saveTokens: (tokens) => {
        for (const text of [tokens.access_token, tokens.refresh_token])
          if (text !== undefined) this.options.learned(text);
        this.#saved = tokens;
      },
      redirectToAuthorization: (url) => this.#logIn(url),
      saveCodeVerifier: (verifier) => void (this.#verifier = verifier),
      codeVerifier: () => this.#verifier,
      discoveryState: () => this.#discovered,
      saveDiscoveryState: (state) => void (this.#discovered = state),
    };
  }

  async #logIn(url: URL): Promise<void> {
    this.requested.push(url.searchParams.get('scope') ?? '');
    const isCallback = (next: string): boolean => next.startsWith(CALLBACK);
    const page = await this.#browser.open(url.href, {}, isCallback);
    const answered = page.status === 200 ? await this.#browser.submitLogin(page, this.options.username) : page;
    this.#callback = new URL(locationOf(answered) ?? 'none:').searchParams;
  }
}
