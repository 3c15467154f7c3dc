import { ConfigurationError, ConfigurationFaults, isProduction } from 'nestjs-keycloak-s2s';

export interface McpEndpointOptions {
  /**
   * `endpoint`: the 401 names the permissions of the endpoint, so that a client requests them first. `none`: the 401
   * names no scope. Use `none` in a realm with dynamic client registration. There, a client registers for the scopes
   * that the first 401 names, and Keycloak later refuses it any other scope. Default `endpoint`.
   */
  readonly challenge?: 'endpoint' | 'none';
  /**
   * The origins of the web pages that may call the endpoint, such as `https://app.example.com`. A request with another
   * `Origin` header gets 403, or 401 without a valid token. A request without this header passes, because only browsers
   * send it.
   *
   * `checked elsewhere`: the application checks the header in another place. Required in production; otherwise the
   * default is every origin on `localhost`, `127.0.0.1` and `[::1]`.
   */
  readonly allowedOrigins?: readonly string[] | 'checked elsewhere';
}

export interface ResolvedEndpointOptions {
  readonly challenge: 'endpoint' | 'none';
  readonly allowedOrigins: readonly string[] | 'checked elsewhere' | undefined;
}

export function resolveEndpointOptions(given: McpEndpointOptions): ResolvedEndpointOptions {
  const { challenge = 'endpoint', allowedOrigins, ...others } = Object(given) as McpEndpointOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (!['endpoint', 'none'].includes(challenge)) faults.fault("challenge must be 'endpoint' or 'none'");
  for (const fault of faultsOfOrigins(allowedOrigins)) faults.fault(fault);
  faults.throwIfFaulty(configurationError);
  return { challenge, allowedOrigins };
}

/** Runs when the application starts, because tools import the decorated class without running it. */
export function demandOriginsInProduction(
  { allowedOrigins }: ResolvedEndpointOptions,
  nodeEnv: string | undefined,
): void {
  if (allowedOrigins !== undefined || !isProduction(nodeEnv)) return;
  throw configurationError(["allowedOrigins must be a list of origins or 'checked elsewhere' in production"]);
}

const configurationError = (faults: readonly string[]): ConfigurationError =>
  new ConfigurationError("@McpEndpoint() can't be used", faults);

function faultsOfOrigins(given: unknown): string[] {
  if (given === undefined || given === 'checked elsewhere') return [];
  if (!Array.isArray(given)) return ["allowedOrigins must be a list of origins or 'checked elsewhere'"];
  return given
    .filter((each) => !isOrigin(each))
    .map((each) => `allowedOrigins: ${JSON.stringify(each)} is not an origin such as "https://app.example.com"`);
}

const isOrigin = (given: unknown): boolean =>
  typeof given === 'string' && given !== 'null' && URL.canParse(given) && new URL(given).origin === given;
