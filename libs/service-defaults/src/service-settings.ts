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

export type RequestLogSubject = 'hash' | 'plain' | 'none';

export interface ServiceDescription<Called extends string> {
  /**
   * The name of the service, which is its default client id. In upper case (`SERVICE_A`), the name is the prefix of the
   * service's variables.
   */
  readonly name: string;
  readonly port: number;
  /** The URL of `service-b` is in the variable `SERVICE_B_URL`. */
  readonly calls: Readonly<Record<Called, ServiceScopes>>;
  readonly login?: boolean;
  readonly signals?: SignalsDescription;
  readonly demo?: DemoDescription;
}

export interface ServiceSettings<Called extends string> {
  readonly name: string;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** Accepts published secrets, shows refusal reasons, and lets anyone run the chain as the service. */
  readonly demoMode: boolean;
  readonly logFormat: 'json' | 'text';
  readonly requestLog: false | RequestLogSubject;
  /** For this time after the shutdown signal, the service listens but is not ready. */
  readonly shutdownDelaySeconds: number;
  readonly keycloak: KeycloakModuleOptions;
  readonly otherIssuers?: readonly OtherIssuer[];
  readonly privateKey?: PrivateKeyJwt;
  readonly urls: Readonly<Record<Called, string>>;
  readonly servicesTls: TlsOptions;
  readonly login?: LoginSettings;
  readonly sharedState?: SharedState;
  readonly signals?: RevocationEventsModuleOptions;
  readonly openApi?: OpenApiSettings;
  readonly telemetry?: TelemetrySettings;
  readonly demo?: DemoSettings;
}

export type LoginServiceSettings<Called extends string> = ServiceSettings<Called> & { readonly login: LoginSettings };
export type PollerSettings<Called extends string> = ServiceSettings<Called> & {
  readonly signals: RevocationEventsModuleOptions;
};

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
  const introspectionStaleIfErrorSeconds = variables.wholeNumber('INTROSPECTION_STALE_IF_ERROR_SECONDS', 0, 600);
  const timeoutMs = variables.wholeNumber('KEYCLOAK_TIMEOUT_MS', 3000, 60_000, 100);
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
  const signalsSettings = readSignalsSettings(variables, {
    signals: service.signals,
    introspectionTtlSeconds,
    hasChannel: isSet(variables, 'SHARED_STATE_URL'),
    demoMode,
  });
  const telemetry = readTelemetrySettings(variables, { host, port });
  // Other containers use the service's name, and browsers use its public host name.
  const hosts = [service.name, ...publicName(login)];
  const demo = demoMode ? readDemoSettings(variables, service.demo ?? {}, hosts, client.secret) : undefined;

  if (production && demoMode) {
    variables.fault('DEMO_MODE=true is for demonstrations only: set NODE_ENV=development, or leave DEMO_MODE out');
  }
  variables.throwIfFaulty((faults) => new SettingsError(service.name, faults));
  const keycloak: KeycloakModuleOptions = {
    issuer,
    internalServerUrl: baseUrl,
    timeoutMs,
    clientId,
    ...client.keycloak,
    tls,
    introspectionTtlSeconds,
    introspectionStaleIfErrorSeconds,
    ...signalsSettings.keycloak,
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
    ...(signalsSettings.signals === undefined ? {} : { signals: signalsSettings.signals }),
    ...(hasOpenApi ? { openApi: { hasPage: isDevelopment } } : {}),
    ...(telemetry === undefined ? {} : { telemetry }),
    ...(demo === undefined ? {} : { demo }),
  };
}

function prefixOf(service: string): string {
  return service.toUpperCase().replaceAll('-', '_');
}

const isSet = (variables: Variables, name: string): boolean =>
  [name, `${name}_FILE`].some((variable) => variables.text(variable, '') !== '');

function publicName(login: LoginSettings | undefined): string[] {
  return login !== undefined && URL.canParse(login.publicUrl) ? [new URL(login.publicUrl).hostname] : [];
}
