/** TestNetwork: the in-memory network of one application under test. */
import { EnvironmentProxies } from '../../http/environment-proxies.js';
import { Network, type Connections, type ServiceAddress } from '../../http/network.js';
import { inMemoryConnections } from './in-memory-connections.js';
import { refuseInProduction } from '../refuse-in-production.js';
import { TestAuthorizationServer, type TestedClient } from './test-authorization-server.js';
import { TestServices } from './test-services.js';
import { TestSigningKey } from './test-signing-key.js';
import { TestTokens } from './test-tokens.js';

/** It is a provider of the application, so applications share no state, and the state ends with the application. */
export class TestNetwork extends Network {
  readonly tokens: TestTokens;
  readonly services: TestServices;
  readonly authorizationServer: TestAuthorizationServer;

  constructor(readonly client: TestedClient) {
    refuseInProduction('KeycloakTestingModule');
    super(undefined, new EnvironmentProxies({}));
    const typ = (client.profile ?? 'keycloak') === 'keycloak' ? 'JWT' : 'at+jwt';
    const key = client.jwt && new TestSigningKey(client.jwt.algorithms, typ);
    this.tokens = new TestTokens(key && ((claims) => key.sign(claims)), typ);
    this.services = new TestServices(this.tokens);
    this.authorizationServer = new TestAuthorizationServer(client, this.tokens, key?.keySet);
  }

  override toAuthorizationServer(): Connections {
    return inMemoryConnections((request) => this.authorizationServer.answer(request));
  }

  override toService(service: ServiceAddress): Connections {
    this.services.add(service);
    return inMemoryConnections((request) => this.services.answer(service, request));
  }
}
