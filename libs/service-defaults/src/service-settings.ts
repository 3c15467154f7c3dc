/** Service settings: reads the environment variables that every service has, and reports all faults at once. */
import { matches } from 'class-validator';
import { isProduction, type KeycloakModuleOptions, type ServiceScopes, type TlsOptions } from 'nestjs-keycloak-s2s';
import type { PrivateKeyJwt } from 'nestjs-keycloak-s2s/client-authentication';
import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';
import type { RevocationEventsModuleOptions } from 'nestjs-keycloak-s2s/signals';
import { readClientSettings } from './client-settings.js';
import { readDemoSettings, type DemoDescription, type DemoSettings } from './demo-settings.js';
import { readLoginSettings, type LoginSettings } from './login-settings.js';
import type { OpenApiSettings } from './openapi/openapi.module.js';
import { readOtherIssuersSettings, type OtherIssuer } from './other-issuers-settings.js';
import { readSharedStateSettings, type SharedState } from './shared-state-settings.js';
import { isPoller, readSignalsSettings, type SignalsDescription } from './signals-settings.js';
import { readTelemetrySettings, type TelemetrySettings } from './telemetry-settings.js';
import { SettingsError, Variables, type Environment } from './variables.js';

/** How a line of the request log has the subject: `subjectHash`, `sub`, or neither. */
export type RequestLogSubject = 'hash' | 'plain' | 'none';

export interface ServiceDescription<Called extends string> {
  /** Such as `service-a`. It is the default client id; in the form `SERVICE_A` it prefixes the service's variables. */
  readonly name: string;
  /** The default of `PORT`. */
  readonly port: number;
  /**
   * The services that this service calls, such as `service-b`, whose URL is in the variable `SERVICE_B_URL`; with the scopes that
   * `ServiceClient` asks for.
   */
  readonly calls: Readonly<Record<Called, ServiceScopes>>;
  /** Whether users log in at this service with a browser; if so, the login settings are read too. */
  readonly login?: boolean;
  /** Whether it can hear of revocations at Keycloak; if so, the settings for that are read too. */
  readonly signals?: SignalsDescription;
  /** Further variables, read in demo mode only. */
  readonly demo?: DemoDescription;
}

export interface ServiceSettings<Called extends string> {
  readonly name: string;
  /** Of what was deployed, for log lines and health details. */
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** In demo mode anonymous visitors may run the chain as the service, the published secrets are accepted, and answers state refusal reasons. */
  readonly demoMode: boolean;
  /** `text` with `NODE_ENV=development`; else `json`, one object per line. */
  readonly logFormat: 'json' | 'text';
  /** Whether each answered request is logged, and how its subject: by a hash, as it is, or not at all. */
  readonly requestLog: false | RequestLogSubject;
  /** The time between a signal, from which on the service is not ready, and the closing of its listener. */
  readonly shutdownDelaySeconds: number;
  /** Of the service's own realm, and what is of all issuers. */
  readonly keycloak: KeycloakModuleOptions;
  /** Whose tokens it accepts as well. */
  readonly otherIssuers?: readonly OtherIssuer[];
  /** Of a service that signs assertions. */
  readonly privateKey?: PrivateKeyJwt;
  /** The URLs of the services that this service calls, by name. */
  readonly urls: Readonly<Record<Called, string>>;
  /** Whom the certificates of these services must be of. */
  readonly servicesTls: TlsOptions;
  readonly login?: LoginSettings;
  /** Of a service with sessions, where its replicas share them. */
  readonly sharedState?: SharedState;
  /** Where it hears of revocations itself: for `RevocationEventsModule.forRoot`. */
  readonly signals?: RevocationEventsModuleOptions;
  /** Where the service publishes its OpenAPI document. */
  readonly openApi?: OpenApiSettings;
  /** Where it measures itself or traces its requests. */
  readonly telemetry?: TelemetrySettings;
  /** In demo mode only. */
  readonly demo?: DemoSettings;
}

export type LoginServiceSettings<Called extends string> = ServiceSettings<Called> & { readonly login: LoginSettings };
export type PollerSettings<Called extends string> = ServiceSettings<Called> & {
  readonly signals: RevocationEventsModuleOptions;
};

/**
 * Variables: `KEYCLOAK_BASE_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_ISSUER` (default: base and realm), `PORT`, `HOST` (default
 * 127.0.0.1), `DEMO_MODE`, `KEYCLOAK_ALLOW_INSECURE_REQUESTS`, `INTROSPECTION_TTL_SECONDS` (default 10: the revocation window), `TOKEN_VERIFICATION` (default `introspection`),
 * `SERVICE_VERSION` (default `dev`), `REQUEST_LOG` (default false), `REQUEST_LOG_SUBJECT` (default `hash`), `SHUTDOWN_DELAY_SECONDS` (default 5 in production, else 0), `RESOURCE_URL` (default: none is told), `OPENAPI` (default true with `NODE_ENV=development`, else false), `NODE_ENV`, `<NAME>_CLIENT_ID`, `<OTHER>_URL` for each service that this service calls, and `KEYCLOAK_CA_FILE` and `SERVICES_CA_FILE` (default: whom Node trusts). An empty variable counts as not set. Any
 * `NODE_ENV` other than `development` and `test` means production. `readClientSettings`, `readOtherIssuersSettings`, `readLoginSettings`, `readSharedStateSettings`, `readSignalsSettings`, `readTelemetrySettings` and `readDemoSettings` read
 * further variables.
 */
export function readServiceSettings<Called extends string>(
  environment: Environment,
  service: ServiceDescription<Called> & { readonly login: true },
): LoginServiceSettings<Called>;
export function readServiceSettings<Called extends string>(
  environment: Environment,
  service: ServiceDescription<Called> & { readonly signals: 'own' },
): PollerSettings<Called>;
export function readServiceSettings<Called extends string>(
  environment: Environment,
  service: ServiceDescription<Called>,
): ServiceSettings<Called>;
export function readServiceSettings<Called extends string>(
  environment: Environment,
  service: ServiceDescription<Called>,
): ServiceSettings<Called> {
  const variables = new Variables(environment);
  const prefix = prefixOf(service.name);
  const nodeEnv = variables.text('NODE_ENV', 'production');
  const production = isProduction(nodeEnv);
  const demoMode = variables.flag('DEMO_MODE');
  const insecureAllowed = variables.flag('KEYCLOAK_ALLOW_INSECURE_REQUESTS') || !production;

  const baseUrl = variables.url('KEYCLOAK_BASE_URL', insecureAllowed);
  const realm = variables.text('KEYCLOAK_REALM');
  if (realm !== '' && !matches(realm, /^[\w.~-]+$/)) variables.fault('KEYCLOAK_REALM must be the name of a realm');
  const issuer = variables.optionalUrl('KEYCLOAK_ISSUER', insecureAllowed) ?? `${baseUrl}/realms/${realm}`;
  if (!issuer.endsWith(`/realms/${realm}`)) variables.fault('KEYCLOAK_ISSUER must end in /realms/<KEYCLOAK_REALM>');
  const tls = { caFile: variables.certificates('KEYCLOAK_CA_FILE')?.file };
  const servicesTls = { caFile: variables.certificates('SERVICES_CA_FILE')?.file };
  const clientId = variables.text(`${prefix}_CLIENT_ID`, service.name);
  const resource = variables.optionalUrl('RESOURCE_URL', insecureAllowed);
  const client = readClientSettings(variables, prefix, demoMode);
  const calls = Object.keys(service.calls);
  const otherIssuers = readOtherIssuersSettings(variables, { issuer, clientId, calls, demoMode, insecureAllowed });
  const version = variables.text('SERVICE_VERSION', 'dev');
  const host = variables.text('HOST', '127.0.0.1');
  const port = variables.port('PORT', service.port);
  const introspectionTtlSeconds = variables.wholeNumber('INTROSPECTION_TTL_SECONDS', 10, 300);
  const verification = variables.oneOf('TOKEN_VERIFICATION', ['introspection', 'jwt']);
  const requestLogSubject = variables.oneOf('REQUEST_LOG_SUBJECT', ['hash', 'plain', 'none']);
  const requestLog = variables.flag('REQUEST_LOG') && requestLogSubject;
  const shutdownDelaySeconds = variables.wholeNumber('SHUTDOWN_DELAY_SECONDS', production ? 5 : 0, 300);
  const isDevelopment = nodeEnv === 'development';
  const hasOpenApi = variables.flag('OPENAPI', isDevelopment);
  const urls = Object.fromEntries(
    calls.map((called) => [called, variables.url(`${prefixOf(called)}_URL`, insecureAllowed)]),
  ) as Record<Called, string>;
  const login =
    service.login === true
      ? readLoginSettings(variables, { prefix, port, production, demoMode, insecureAllowed })
      : undefined;
  const shared = readSharedStateSettings(variables, {
    hasSessions: login !== undefined,
    polls: isPoller(variables, service.signals),
    demoMode,
  });
  const hearing = readSignalsSettings(variables, {
    signals: service.signals,
    introspectionTtlSeconds,
    hasChannel: isSet(variables, 'SHARED_STATE_URL'),
    demoMode,
  });
  const telemetry = readTelemetrySettings(variables, { host, port });
  // Other containers use the service's name, browsers its public host name.
  const hosts = [service.name, ...publicName(login)];
  const demo = demoMode ? readDemoSettings(variables, service.demo ?? {}, hosts, client.secret) : undefined;

  if (production && demoMode) {
    variables.fault('DEMO_MODE=true is for demonstrations only: set NODE_ENV=development, or leave DEMO_MODE out');
  }
  variables.throwIfFaulty((faults) => new SettingsError(service.name, faults));
  const keycloak: KeycloakModuleOptions = {
    issuer,
    internalServerUrl: baseUrl,
    clientId,
    ...client.keycloak,
    tls,
    introspectionTtlSeconds,
    ...hearing.keycloak,
    ...(verification === 'jwt' ? { verification, jwt: jwtVerification() } : {}),
    allowInsecureRequests: insecureAllowed,
    exposeRefusalReasons: demoMode,
    ...(resource === undefined ? {} : { protectedResource: { resource, resourceName: service.name } }),
    ...shared.keycloak,
  };
  const logFormat = isDevelopment ? 'text' : 'json';
  return {
    name: service.name,
    version,
    host,
    port,
    demoMode,
    logFormat,
    requestLog,
    shutdownDelaySeconds,
    keycloak,
    ...(otherIssuers.length === 0 ? {} : { otherIssuers }),
    urls,
    ...(client.privateKey === undefined ? {} : { privateKey: client.privateKey }),
    servicesTls,
    ...(login === undefined ? {} : { login }),
    ...(shared.sharedState === undefined ? {} : { sharedState: shared.sharedState }),
    ...(hearing.signals === undefined ? {} : { signals: hearing.signals }),
    ...(hasOpenApi ? { openApi: { hasPage: isDevelopment } } : {}),
    ...(telemetry === undefined ? {} : { telemetry }),
    ...(demo === undefined ? {} : { demo }),
  };
}

/** Of a service's own variables. */
function prefixOf(service: string): string {
  return service.toUpperCase().replaceAll('-', '_');
}

/** As it is, or by a file. */
const isSet = (variables: Variables, name: string): boolean =>
  [name, `${name}_FILE`].some((variable) => variables.text(variable, '') !== '');

function publicName(login: LoginSettings | undefined): string[] {
  return login !== undefined && URL.canParse(login.publicUrl) ? [new URL(login.publicUrl).hostname] : [];
}
