/** Service settings: reads the environment variables that every service has, and reports all faults at once. */
import { matches } from 'class-validator';
import { isProduction, type KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import { readDemoSettings, type DemoDescription, type DemoSettings } from './demo-settings.js';
import { readLoginSettings, type LoginSettings } from './login-settings.js';
import { Variables, type Environment } from './variables.js';

export interface ServiceDescription<UrlName extends string> {
  /** Such as `service-a`. It is the default client id; in the form `SERVICE_A` it prefixes the service's variables. */
  readonly name: string;
  /** The default of `PORT`. */
  readonly port: number;
  /** Variables that hold the URL of another service. */
  readonly urls: readonly UrlName[];
  /** Whether users log in at this service with a browser; if so, the login settings are read too. */
  readonly login?: boolean;
  /** Further variables, read in demo mode only. */
  readonly demo?: DemoDescription;
}

export interface ServiceSettings<UrlName extends string> {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** In demo mode anonymous visitors may run the chain as the service, the published secrets are accepted, and answers state refusal reasons. */
  readonly demoMode: boolean;
  /** `text` with `NODE_ENV=development`; else `json`, one object per line. */
  readonly logFormat: 'json' | 'text';
  /** The time between a signal, from which on the service is not ready, and the closing of its listener. */
  readonly shutdownDelaySeconds: number;
  readonly keycloak: KeycloakModuleOptions;
  readonly urls: Readonly<Record<UrlName, string>>;
  readonly login?: LoginSettings;
  /** In demo mode only. */
  readonly demo?: DemoSettings;
}

export type LoginServiceSettings<UrlName extends string> = ServiceSettings<UrlName> & { readonly login: LoginSettings };

/** The secrets that this repository publishes, so they protect nothing. */
const DEMO_SECRETS: readonly string[] = ['a-secret', 'b-secret', 'c-secret', 'w-secret', 's-secret'];

/**
 * Variables: `KEYCLOAK_BASE_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_ISSUER` (default: base and realm), `PORT`, `HOST` (default
 * 127.0.0.1), `DEMO_MODE`, `KEYCLOAK_ALLOW_INSECURE_REQUESTS`, `INTROSPECTION_TTL_SECONDS` (default 10: the revocation window),
 * `SHUTDOWN_DELAY_SECONDS` (default 5 in production, else 0), `NODE_ENV`, `<NAME>_CLIENT_ID`, `<NAME>_CLIENT_SECRET` or
 * `<NAME>_CLIENT_SECRET_FILE`, and the URL variables of the description. An empty variable counts as not set. Any `NODE_ENV`
 * other than `development` and `test` means production. `readLoginSettings` and `readDemoSettings` read further variables.
 */
export function readServiceSettings<UrlName extends string>(
  environment: Environment,
  service: ServiceDescription<UrlName> & { readonly login: true },
): LoginServiceSettings<UrlName>;
export function readServiceSettings<UrlName extends string>(
  environment: Environment,
  service: ServiceDescription<UrlName>,
): ServiceSettings<UrlName>;
export function readServiceSettings<UrlName extends string>(
  environment: Environment,
  service: ServiceDescription<UrlName>,
): ServiceSettings<UrlName> {
  const variables = new Variables(environment);
  const prefix = service.name.toUpperCase().replaceAll('-', '_');
  const nodeEnv = variables.text('NODE_ENV', 'production');
  const production = isProduction(nodeEnv);
  const demoMode = variables.flag('DEMO_MODE');
  const insecureAllowed = variables.flag('KEYCLOAK_ALLOW_INSECURE_REQUESTS') || !production;

  const baseUrl = variables.url('KEYCLOAK_BASE_URL', insecureAllowed);
  const realm = variables.text('KEYCLOAK_REALM');
  if (realm !== '' && !matches(realm, /^[\w.~-]+$/)) variables.fault('KEYCLOAK_REALM must be the name of a realm');
  const issuer = variables.optionalUrl('KEYCLOAK_ISSUER', insecureAllowed) ?? `${baseUrl}/realms/${realm}`;
  if (!issuer.endsWith(`/realms/${realm}`)) variables.fault('KEYCLOAK_ISSUER must end in /realms/<KEYCLOAK_REALM>');
  const clientId = variables.text(`${prefix}_CLIENT_ID`, service.name);
  const clientSecret = variables.secret(`${prefix}_CLIENT_SECRET`);
  const host = variables.text('HOST', '127.0.0.1');
  const port = variables.port('PORT', service.port);
  const introspectionTtlSeconds = variables.whole('INTROSPECTION_TTL_SECONDS', 10, 300);
  const shutdownDelaySeconds = variables.whole('SHUTDOWN_DELAY_SECONDS', production ? 5 : 0, 300);
  const urls = Object.fromEntries(service.urls.map((name) => [name, variables.url(name, insecureAllowed)])) as Record<
    UrlName,
    string
  >;
  const login =
    service.login === true
      ? readLoginSettings(variables, { prefix, port, production, demoMode, insecureAllowed })
      : undefined;
  // Other containers use the service's name, browsers its public host name.
  const hosts = [service.name, ...publicName(login)];
  const demo = demoMode ? readDemoSettings(variables, service.demo ?? {}, hosts) : undefined;

  if (production && demoMode) {
    variables.fault('DEMO_MODE=true is for demonstrations only: set NODE_ENV=development, or leave DEMO_MODE out');
  }
  if (!demoMode && DEMO_SECRETS.includes(clientSecret)) {
    variables.fault(`${prefix}_CLIENT_SECRET is a published demo secret: use one of your own, or set DEMO_MODE=true`);
  }
  variables.done(service.name);
  const keycloak: KeycloakModuleOptions = {
    issuer,
    baseUrl,
    clientId,
    clientSecret,
    introspectionTtlSeconds,
    allowInsecureRequests: insecureAllowed,
    exposeRefusalReasons: demoMode,
  };
  const logFormat = nodeEnv === 'development' ? 'text' : 'json';
  return {
    name: service.name,
    host,
    port,
    demoMode,
    logFormat,
    shutdownDelaySeconds,
    keycloak,
    urls,
    ...(login === undefined ? {} : { login }),
    ...(demo === undefined ? {} : { demo }),
  };
}

function publicName(login: LoginSettings | undefined): string[] {
  return login !== undefined && URL.canParse(login.publicUrl) ? [new URL(login.publicUrl).hostname] : [];
}
