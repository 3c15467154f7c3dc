import { ConfigurationFaults } from '../protocol/configuration-faults.js';
import {
  flag,
  integer,
  KeycloakOptionsError,
  nonEmptyString,
  optionalScopesByCall,
  optionalText,
  readOptions,
  textOrTextsByName,
  url,
  type OptionKind,
  type OptionTable,
  type ScopesByCall,
} from './option-kinds.js';
import type { TrustedAuthorities } from '../http/network.js';
import { sentPath, splitUrl } from '../protocol/request-path.js';
import { trustedAuthorities, type TlsOptions } from './tls.options.js';

/** Options of one service in `KeycloakModule.forFeature`. */
export interface ServiceOptions {
  /** The URL of the service; the paths of calls are below this URL. */
  readonly baseUrl: string;
  /**
   * The service's client id, which is the audience of exchanged tokens. With several issuers, the audience is the
   * client id at `issuer`. `{ '<issuer>': '<client id>' }` sets the client id for each issuer at which callers' tokens
   * are exchanged.
   */
  readonly audience: string | Readonly<Record<string, string>>;
  /** The issuer from which this service requests tokens in its own name. Default: the first issuer. */
  readonly issuer?: string;
  /**
   * The scopes that calls may request, in one list or in `{ asService, onBehalfOf }`. A call for a scope outside the
   * list throws `TypeError`. `doctor` and `verifyAtStart` try each scope of the list. Default: any scope.
   */
  readonly scopes?: readonly string[] | ServiceScopes;
  /** `{ caFile }` replaces Node's trusted authorities for calls to the service. Default: Node's authorities. */
  readonly tls?: TlsOptions;
  /**
   * The time limit of one call, including the wait for a slot and the answer. A second call with a renewed token has
   * its own time limit. Default 5000, 100 to 300000.
   */
  readonly timeoutMs?: number;
  /** The maximum length of an answer; a larger answer fails the call. Default 1048576, 1024 to 104857600. */
  readonly maxResponseBytes?: number;
  /**
   * Whether to ask for gzip, for large answers over a slow network. Gzip costs CPU time in this service and in the
   * called service. `maxResponseBytes` bounds the answer before and after decompression. Default false.
   */
  readonly gzip?: boolean;
  /**
   * The maximum number of concurrent calls to the service, and of connections to the service. Default 100, 1 to 10000.
   */
  readonly maxConcurrentCalls?: number;
  /**
   * The maximum number of calls that wait for a slot. A call waits at most half of `timeoutMs`. Further calls fail with
   * 503 (`queue_full`). Default 500, 0 to 100000.
   */
  readonly maxQueuedCalls?: number;
  /**
   * The circuit opens after this number of consecutive failures (502, 503, 504, broken answer, timeout or no
   * connection). An answer that blames another service or Keycloak does not count as a failure. Default 10, 1 to 1000.
   */
  readonly circuitBreakerFailures?: number;
  /**
   * How long an open circuit fails calls at once with 503 (`circuit_open`), before it sends one trial call.
   * `Retry-After` can extend this pause up to 30 s. Default 1000, 100 to 60000.
   */
  readonly circuitBreakerPauseMs?: number;
}

/** The scopes that each kind of call may ask for. */
export interface ServiceScopes {
  readonly asService?: readonly string[];
  readonly onBehalfOf?: readonly string[];
}

export type ResolvedServiceOptions = Required<Omit<ServiceOptions, 'audience' | 'scopes' | 'tls'>> & {
  readonly audiences: Readonly<Record<string, string>>;
  readonly scopes: ScopesByCall | undefined;
  readonly tls: TrustedAuthorities;
};

/** Checks the path of `baseUrl`, because each call sends this path unchanged. */
const serviceUrl: OptionKind<string> = (name, given, context) => {
  const text = url(name, given, context);
  const [, path] = splitUrl(text) ?? [];
  if (path !== undefined && !/[?#]/.test(path) && (path.endsWith(' ') || sentPath(path) === undefined)) {
    context.faults.fault(`${name} must have no dot segment, no backslash, and no space at its end`);
  }
  return text;
};

const SERVICE_OPTIONS = {
  baseUrl: serviceUrl,
  audience: textOrTextsByName,
  issuer: optionalText,
  scopes: optionalScopesByCall,
  tls: trustedAuthorities,
  timeoutMs: integer(5000, 100, 300_000),
  maxResponseBytes: integer(1_048_576, 1024, 104_857_600),
  gzip: flag,
  maxConcurrentCalls: integer(100, 1, 10_000),
  maxQueuedCalls: integer(500, 0, 100_000),
  circuitBreakerFailures: integer(10, 1, 1000),
  circuitBreakerPauseMs: integer(1000, 100, 60_000),
} satisfies OptionTable<ServiceOptions, { readonly tls: TrustedAuthorities }>;

export interface ServiceOptionsEntryPoint {
  readonly module: string;
  readonly baseUrl: 'baseUrl' | 'baseURL';
}

const FOR_FEATURE: ServiceOptionsEntryPoint = { module: 'KeycloakModule.forFeature', baseUrl: 'baseUrl' };

export interface ServiceSurroundings {
  readonly allowInsecureRequests: boolean;
  readonly issuers: readonly { readonly issuer: string }[];
}

export function resolveServiceOptions(
  name: string,
  given: ServiceOptions,
  { allowInsecureRequests, issuers }: ServiceSurroundings,
  entryPoint = FOR_FEATURE,
): ResolvedServiceOptions {
  const faults = new ConfigurationFaults();
  const { baseUrl, gzip, ...others } = SERVICE_OPTIONS;
  // An entry point that streams answers does not decompress the answers.
  const table = entryPoint === FOR_FEATURE ? { ...others, gzip } : others;
  const context = { faults, allowInsecureRequests };
  const options = readOptions({ [entryPoint.baseUrl]: baseUrl, ...table }, given, context, ['name']);
  const {
    [entryPoint.baseUrl]: address,
    audience,
    issuer: named,
    ...resolved
  } = options as Readonly<Record<string, unknown>>;
  const issuer = (named as string | undefined) ?? issuers[0]?.issuer ?? '';
  const audiences = typeof audience === 'string' ? { [issuer]: audience } : (audience as Record<string, string>);
  for (const at of [issuer, ...Object.keys(audiences)]) {
    if (issuers.some((each) => each.issuer === at)) continue;
    faults.fault(
      `${at === issuer ? 'issuer' : 'audience'} names ${JSON.stringify(at)}, but KeycloakModule.forRoot has no such issuer`,
    );
  }
  faults.throwIfFaulty(
    (all) => new KeycloakOptionsError(`${entryPoint.module}, service ${JSON.stringify(name)},`, all),
  );
  return { ...resolved, baseUrl: address, issuer, audiences } as ResolvedServiceOptions;
}

/** Throws `KeycloakOptionsError` for a missing or double name, because clients are injected by name. */
export function checkServiceNames(names: readonly unknown[], module = FOR_FEATURE.module): void {
  const faults = new ConfigurationFaults();
  names.forEach((name, at) => {
    nonEmptyString(`name of service ${at + 1}`, name, { faults, allowInsecureRequests: false });
    if (names.indexOf(name) < at) faults.fault(`name ${JSON.stringify(name)} is given twice`);
  });
  faults.throwIfFaulty((all) => new KeycloakOptionsError(module, all));
}
