/** Searches the sources for violations of the laws in ARCHITECTURE.md that no compiler checks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

const sources = new Map(
  ['libs', 'apps'].flatMap((top) =>
    readdirSync(join(root, top)).flatMap((workspace) =>
      readdirSync(join(root, top, workspace, 'src'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [relative(root, path), readFileSync(path, 'utf8')] as const),
    ),
  ),
);

const filesWith = (pattern: RegExp): string[] =>
  [...sources].filter(([, text]) => pattern.test(text)).map(([path]) => path);

const inServicesAndLibraries = (path: string): boolean => !/\/testing\/|^libs\/keycloak-test-servers\//.test(path);

describe('the sources', () => {
  it('are all searched by this spec', () => {
    expect(sources.size).toBeGreaterThan(60);
  });

  it('create a VerifiedAccessToken only in the verification and in the testing entry point', () => {
    expect(filesWith(/\bmakeVerifiedAccessToken\b/).toSorted()).toEqual([
      'libs/keycloak/src/protocol/verified-access-token.ts',
      'libs/keycloak/src/resource-server/claims-verifier.ts',
      'libs/keycloak/src/testing/test-access-token.ts',
    ]);
  });

  it('create an AccessTokenVerifier only in the module composition', () => {
    expect(filesWith(/\bmakeAccessTokenVerifier\b/).toSorted()).toEqual([
      'libs/keycloak/src/module/compose-keycloak.ts',
      'libs/keycloak/src/resource-server/access-token-verifier.ts',
    ]);
  });

  it('pass a timeout to AbortSignal.any only in time-limit.ts, because Node 20 garbage-collects such timeouts', () => {
    const combining = new Set(filesWith(/\bAbortSignal\.any\(/));
    expect(filesWith(/\bAbortSignal\.timeout\(/).filter((path) => combining.has(path))).toEqual([
      'libs/keycloak-test-servers/src/time-limit.ts',
    ]);
  });

  it("read the text of a caller's token only for the exchange (TX-04)", () => {
    expect(filesWith(/\bsubjectTokenText\b/).toSorted()).toEqual([
      'libs/keycloak/src/authorization-server/token-endpoint.ts',
      'libs/keycloak/src/protocol/verified-access-token.ts',
    ]);
  });

  it('read the actor of a token only for logs and spans, since an actor grants nothing', () => {
    const readers = filesWith(/(?:\.|, |\{ )actor\b/).filter((path) => path.startsWith('libs/'));
    expect(readers.toSorted()).toEqual([
      'libs/keycloak/src/client/service-client.ts',
      'libs/keycloak/src/entry-points/opentelemetry/attributes.ts',
      'libs/keycloak/src/entry-points/opentelemetry/call-spans.ts',
      'libs/keycloak/src/protocol/actor.ts',
      'libs/keycloak/src/protocol/verified-access-token.ts',
      'libs/service-defaults/src/request-log.ts',
      'libs/service-defaults/src/telemetry/request-telemetry.ts',
    ]);
  });

  it('write a bearer header only in the listed files', () => {
    expect(filesWith(/`Bearer \$\{/i).toSorted()).toEqual([
      'libs/demo/src/attacks/attack-request.ts',
      // Sends the administrator's token for the commands doctor and realm check.
      'libs/keycloak/src/cli/administrator/admin-api.ts',
      // Sends the operator's token for the command observed.
      'libs/keycloak/src/cli/observed/read-details.ts',
      'libs/keycloak/src/client/message-headers.ts',
      'libs/keycloak/src/client/send-with-token.ts',
      // The two clients of signal feeds send the token of the service to Keycloak.
      'libs/keycloak/src/entry-points/signals/events/event-log-client.ts',
      'libs/keycloak/src/entry-points/signals/ssf/transmitter-client.ts',
      'libs/keycloak/src/protocol/www-authenticate.ts',
    ]);
    expect(sources.get('libs/keycloak/src/client/send-with-token.ts')).toContain('`Bearer ${token.reveal()}`');
  });

  it('let the library connect to servers only in network.ts, and to proxies only in forward-proxy.ts', () => {
    const leading = filesWith(/\bnew (Agent|Pool|Client|Request)\(|(?<![.#\w])fetch\(|from 'node:(https?|net|tls)'/);
    expect(
      leading
        .filter((path) => path.startsWith('libs/keycloak/'))
        .filter(inServicesAndLibraries)
        .toSorted(),
    ).toEqual([
      'libs/keycloak/src/client/call-headers.ts',
      // Creates proxy agents, and only network.ts sends requests through these agents.
      'libs/keycloak/src/http/forward-proxy.ts',
      'libs/keycloak/src/http/network.ts',
    ]);
    expect(sources.get('libs/keycloak/src/client/call-headers.ts')).toContain(
      "import { validateHeaderName, validateHeaderValue } from 'node:http';",
    );
  });

  it("read environment variables only in the settings, in doctor and in three files for Node's variables", () => {
    expect(
      filesWith(/process\.env\b/)
        .filter(inServicesAndLibraries)
        .toSorted(),
    ).toEqual([
      'libs/keycloak/src/cli/cli.ts',
      'libs/keycloak/src/http/environment-proxies.ts',
      // Reads only NODE_ENV and NODE_TLS_REJECT_UNAUTHORIZED.
      'libs/keycloak/src/protocol/production.ts',
      // Reads only NODE_ENV.
      'libs/mcp/src/mcp-endpoint.guard.ts',
      'libs/service-defaults/src/service-config.ts',
    ]);
  });

  it('import @nestjs/swagger only in its entry point and in describe-routes.ts', () => {
    expect(filesWith(/^import (?!type ).*from '@nestjs\/swagger'/m).toSorted()).toEqual([
      'libs/keycloak/src/entry-points/swagger/documented-routes.discovery.ts',
      'libs/service-defaults/src/openapi/describe-routes.ts',
    ]);
    expect(filesWith(/^import (?!type ).*\/describe-routes\.js'/m)).toEqual([]);
  });

  it('use the client of another service only in .client.ts files', () => {
    const calling = filesWith(/InjectServiceClient\(/).filter((path) => path.startsWith('apps/'));
    expect(calling.length).toBeGreaterThan(3);
    expect(calling.filter((path) => !path.endsWith('.client.ts'))).toEqual([]);
  });

  // Jest does not support import.meta if Jest compiles the library to CommonJS (docs/compatibility.md).
  it('use no import.meta in the library', () => {
    expect(filesWith(/^(?!\s*(\/\/|\*)).*import\.meta/m).filter((path) => path.startsWith('libs/keycloak/'))).toEqual(
      [],
    );
  });

  it("read a caller's Authorization header in only two application files", () => {
    expect(
      filesWith(/authorization (\?\?|\}: IncomingHttpHeaders)/)
        .filter((path) => path.startsWith('apps/'))
        .toSorted(),
    ).toEqual(['apps/service-a/src/matrix/matrix-callers.ts', 'apps/service-c/src/attacks/attacks.controller.ts']);
    const attacking = filesWith(/AttackTarget|AttackersKeycloak/).filter((path) => path.startsWith('apps/'));
    expect(attacking.filter((path) => !path.includes('/src/attacks/'))).toEqual([]);
    expect(attacking.length).toBeGreaterThan(0);
  });

  it('have only named exports in the libraries', () => {
    expect(filesWith(/^export (\*|default)/m).filter((path) => path.startsWith('libs/'))).toEqual([]);
  });
});
