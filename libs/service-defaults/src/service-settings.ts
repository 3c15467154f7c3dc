/** Service settings: reads what every service is told by its environment, and lists every fault at once. */
import { readFileSync } from 'node:fs';
import { isIn, isPort, isURL, matches } from 'class-validator';
import type { KeycloakModuleOptions } from 'nestjs-keycloak-s2s';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ServiceDescription<UrlName extends string> {
  /** Such as `service-a`: the default client id, and with `SERVICE_A` the prefix of the service's own variables. */
  readonly name: string;
  /** The port it listens on unless `PORT` says otherwise. */
  readonly port: number;
  /** Variables that hold the URL of another service. */
  readonly urls: readonly UrlName[];
}

export interface ServiceSettings<UrlName extends string> {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Lets anonymous visitors run the chain as the service, takes the published demo secrets, and tells refusal reasons. */
  readonly demoMode: boolean;
  /** One JSON object a line, or with `NODE_ENV=development` text for people. */
  readonly logFormat: 'json' | 'text';
  readonly keycloak: KeycloakModuleOptions;
  readonly urls: Readonly<Record<UrlName, string>>;
}

/** Thrown when a service can't start with the environment it has. The message lists every fault, and no secret. */
export class SettingsError extends Error {
  constructor(
    service: string,
    readonly faults: readonly string[],
  ) {
    super(`${service} can't start with these settings:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/** The secrets that the repository publishes: whoever reads it knows them. */
const DEMO_SECRETS: readonly string[] = ['a-secret', 'b-secret', 'c-secret', 'w-secret'];

/**
 * Variables: `KEYCLOAK_BASE_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_ISSUER` (default: base and realm), `PORT`, `HOST` (default
 * 127.0.0.1), `DEMO_MODE`, `KEYCLOAK_ALLOW_INSECURE_REQUESTS`, `INTROSPECTION_TTL_SECONDS` (default 10: the revocation window), `NODE_ENV`, and of its own `<NAME>_CLIENT_ID`,
 * `<NAME>_CLIENT_SECRET` or `<NAME>_CLIENT_SECRET_FILE`, and the URLs it was described with. An empty one counts as not
 * set. Any `NODE_ENV` but `development` and `test` is production.
 */
export function readServiceSettings<UrlName extends string>(
  environment: Environment,
  service: ServiceDescription<UrlName>,
): ServiceSettings<UrlName> {
  const variables = new Variables(environment);
  const prefix = service.name.toUpperCase().replaceAll('-', '_');
  const nodeEnv = variables.text('NODE_ENV', 'production');
  const production = !isIn(nodeEnv, ['development', 'test']);
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
  const introspectionTtlSeconds = variables.seconds('INTROSPECTION_TTL_SECONDS', 10, 300);
  const urls = Object.fromEntries(service.urls.map((name) => [name, variables.url(name, insecureAllowed)])) as Record<
    UrlName,
    string
  >;

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
  return { name: service.name, host, port, demoMode, logFormat, keycloak, urls };
}

/** Reads variables and collects what is wrong with them. */
class Variables {
  readonly #faults: string[] = [];

  constructor(private readonly environment: Environment) {}

  fault(text: string): void {
    this.#faults.push(text);
  }

  done(service: string): void {
    if (this.#faults.length > 0) throw new SettingsError(service, this.#faults);
  }

  text(name: string, fallback?: string): string {
    const value = this.#read(name) ?? fallback;
    if (value === undefined) this.fault(`${name} is not set`);
    return value ?? '';
  }

  flag(name: string): boolean {
    const value = this.text(name, 'false');
    if (!isIn(value, ['true', 'false'])) this.fault(`${name} must be true or false`);
    return value === 'true';
  }

  port(name: string, fallback: number): number {
    const value = this.text(name, String(fallback));
    if (!isPort(value)) this.fault(`${name} must be a port number from 0 to 65535`);
    return Number(value);
  }

  url(name: string, insecureAllowed: boolean): string {
    const value = this.optionalUrl(name, insecureAllowed);
    if (value === undefined) this.fault(`${name} is not set`);
    return value ?? '';
  }

  seconds(name: string, fallback: number, max: number): number {
    const value = this.text(name, String(fallback));
    if (!/^\d{1,9}$/.test(value) || Number(value) > max) this.fault(`${name} must be a whole number from 0 to ${max}`);
    return Number(value);
  }

  optionalUrl(name: string, insecureAllowed: boolean): string | undefined {
    const value = this.#read(name);
    if (value === undefined) return undefined;
    if (
      !isURL(value, {
        protocols: ['http', 'https'],
        require_protocol: true,
        require_tld: false,
        allow_underscores: true,
      })
    ) {
      this.fault(`${name} must be an http(s) URL`);
    } else if (!insecureAllowed && /^http:/i.test(value)) {
      this.fault(`${name} must be https: in production (or set KEYCLOAK_ALLOW_INSECURE_REQUESTS=true and know why)`);
    }
    return value.replace(/\/$/, '');
  }

  /** From `name`, or from the file that `name`_FILE points to. */
  secret(name: string): string {
    const value = this.#read(name);
    const file = this.#read(`${name}_FILE`);
    if ((value === undefined) === (file === undefined)) {
      this.fault(`${name} or ${name}_FILE must be set${value === undefined ? '' : ', not both'}`);
    }
    if (file === undefined) return value ?? '';
    try {
      const content = readFileSync(file, 'utf8').trim();
      if (content === '') this.fault(`${name}_FILE points to an empty file`);
      return content;
    } catch {
      this.fault(`${name}_FILE points to a file that can't be read`);
      return '';
    }
  }

  #read(name: string): string | undefined {
    const value = this.environment[name]?.trim();
    return value === '' ? undefined : value;
  }
}
