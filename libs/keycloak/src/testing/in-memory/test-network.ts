import { EnvironmentProxies } from '../../http/environment-proxies.js';
import { Network, type AuthorizationServerAddress, type Connections, type ServiceAddress } from '../../http/network.js';
import { inMemoryConnections } from './in-memory-connections.js';
import { refuseInProduction } from '../refuse-in-production.js';
import { TestAuthorizationServer, type TestedClient } from './test-authorization-server.js';
import { TestServices } from './test-services.js';
import { TestSigningKey } from './test-signing-key.js';
import { TestTokens, type TestToken } from './test-tokens.js';

export interface TestedApplication {
  readonly issuers: readonly [TestedClient, ...TestedClient[]];
  readonly jwt?: { readonly algorithms: readonly string[] } | undefined;
}

export class TestNetwork extends Network {
  readonly services: TestServices;
  readonly authorizationServers: readonly [TestAuthorizationServer, ...TestAuthorizationServer[]];

  constructor({ issuers: [own, ...others], jwt }: TestedApplication) {
    refuseInProduction('KeycloakTestingModule');
    super(undefined, new EnvironmentProxies({}));
    this.authorizationServers = [serverOf(own, jwt), ...others.map((other) => serverOf(other, jwt))];
    this.services = new TestServices((text) => this.#find(text));
  }

  override toAuthorizationServer({ realmUrl }: AuthorizationServerAddress): Connections {
    const server = this.authorizationServers.find(({ client }) => client.realmUrl === String(realmUrl));
    if (server === undefined) throw new Error(`The application has no issuer at ${String(realmUrl)}`);
    return inMemoryConnections((request) => server.answer(request));
  }

  #find(text: string): TestToken | undefined {
    for (const { tokens } of this.authorizationServers) {
      const found = tokens.find(text);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  override toService(service: ServiceAddress): Connections {
    this.services.add(service);
    return inMemoryConnections((request) => this.services.answer(service, request));
  }
}

function serverOf(client: TestedClient, jwt: TestedApplication['jwt']): TestAuthorizationServer {
  const typ = (client.profile ?? 'keycloak') === 'keycloak' ? 'JWT' : 'at+jwt';
  const key = jwt && new TestSigningKey(jwt.algorithms, typ);
  const tokens = new TestTokens(key && ((claims) => key.sign(claims)), typ);
  return new TestAuthorizationServer(client, tokens, key?.keySet);
}
