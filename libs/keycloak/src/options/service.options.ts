/** Service options: what each option of a service in `forFeature` means, its kind, default and range, and the check at boot. */
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
  /** Where the service is reached; paths are below it. */
  readonly baseUrl: string;
  /**
   * The service's client id: the audience of the tokens that are exchanged for it. Of several issuers it is that at `issuer`; `{ '<issuer>': '<client id>' }` has one for each at which callers'
   * tokens are exchanged for it.
   */
  readonly audience: string | Readonly<Record<string, string>>;
  /** Where tokens in this service's own name come from, of several issuers. Default: the first. */
  readonly issuer?: string;
  /**
   * The scopes that calls to the service ask for, each one token: a list, or one for each kind of call. A call that asks for another
   * throws `TypeError`, and `doctor` and `verifyAtStart` try each of them. Default: any may be asked for, and none is tried.
   */
  readonly scopes?: readonly string[] | ServiceScopes;
  /**
   * Whom the certificate of the service must be of: `{ caFile }` has the authorities that are trusted in place of Node's. Default: those of Node.
   */
  readonly tls?: TlsOptions;
  /** Bound on one call: waiting for a slot, and its answer; a renewed token gets a call of its own. Default 5000, 100 to 300000. */
  readonly timeoutMs?: number;
  /** A larger answer fails the call. Default 1048576, 1024 to 104857600. */
  readonly maxResponseBytes?: number;
  /**
   * Whether answers are asked for in gzip: for large ones over a slow network. It costs both sides CPU. `maxResponseBytes` bounds them before and
   * after they are unpacked. Default false.
   */
  readonly gzip?: boolean;
  /** Calls to the service that may run at once, and connections to it. Default 100, 1 to 10000. */
  readonly maxConcurrentCalls?: number;
  /**
   * Calls that may wait for a slot, for half of `timeoutMs` at most; the others fail with 503 (`queue_full`). Default 500,
   * 0 to 100000.
   */
  readonly maxQueuedCalls?: number;
  /**
   * Failures in a row after which the circuit opens and calls are suspended: no answer in time, no connection, an answer that breaks off,
   * 502, 503 or 504 (but for those in which it says so of another service, or of Keycloak). Default 10, 1 to 1000.
   */
  readonly circuitBreakerFailures?: number;
  /**
   * How long an open circuit suspends calls before it sends one trial call; meanwhile calls fail at once with 503
   * (`circuit_open`). `Retry-After` can make it longer, up to 30 s. Default 1000, 100 to 60000.
   */
  readonly circuitBreakerPauseMs?: number;
}

/** The scopes that are asked for by `asService` and by `onBehalfOf`. */
export interface ServiceScopes {
  readonly asService?: readonly string[];
  readonly onBehalfOf?: readonly string[];
}

/** Every option filled in and checked. */
export type ResolvedServiceOptions = Required<Omit<ServiceOptions, 'audience' | 'scopes' | 'tls'>> & {
  /** Client ids, by issuer. */
  readonly audiences: Readonly<Record<string, string>>;
  readonly scopes: ScopesByCall | undefined;
  readonly tls: TrustedAuthorities;
};

/** Reads a `url`. Calls are sent below its path, and the path is sent as it was given. */
const serviceUrl: OptionKind<string> = (name, given, context) => {
  const text = url(name, given, context);
  const [, path] = splitUrl(text) ?? [];
  if (path !== undefined && !/[?#]/.test(path) && (path.endsWith(' ') || sentPath(path) === undefined)) {
    context.faults.fault(`${name} must have no dot segment, no backslash, and no space at its end`);
  }
  return text;
};

/** Kind, default and range of each. */
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

/** Options of a service as a door has them: its module, and what it calls the base URL. */
export interface ServiceOptionsDoor {
  readonly module: string;
  readonly baseUrl: 'baseUrl' | 'baseURL';
}

const FOR_FEATURE: ServiceOptionsDoor = { module: 'KeycloakModule.forFeature', baseUrl: 'baseUrl' };

/** What the module of a service says of all services. */
export interface ServiceSurroundings {
  readonly allowInsecureRequests: boolean;
  /** The first is that of this service. */
  readonly issuers: readonly { readonly issuer: string }[];
}

/** Throws `KeycloakOptionsError`, which lists every fault. */
export function resolveServiceOptions(
  name: string,
  given: ServiceOptions,
  { allowInsecureRequests, issuers }: ServiceSurroundings,
  door = FOR_FEATURE,
): ResolvedServiceOptions {
  const faults = new ConfigurationFaults();
  const { baseUrl, gzip, ...others } = SERVICE_OPTIONS;
  // A door whose answers are streams leaves them as they come.
  const table = door === FOR_FEATURE ? { ...others, gzip } : others;
  const context = { faults, allowInsecureRequests };
  const options = readOptions({ [door.baseUrl]: baseUrl, ...table }, given, context, ['name']);
  const {
    [door.baseUrl]: address,
    audience,
    issuer: named,
    ...resolved
  } = options as Readonly<Record<string, unknown>>;
  const issuer = (named as string | undefined) ?? issuers[0]?.issuer ?? '';
  const audiences = typeof audience === 'string' ? { [issuer]: audience } : (audience as Record<string, string>);
  for (const at of [issuer, ...Object.keys(audiences)]) {
    if (issuers.some((each) => each.issuer === at)) continue;
    faults.fault(
      `${at === issuer ? 'issuer' : 'audience'} names ${JSON.stringify(at)}, which is no issuer of KeycloakModule.forRoot`,
    );
  }
  faults.throwIfFaulty((all) => new KeycloakOptionsError(`${door.module}, service ${JSON.stringify(name)},`, all));
  return { ...resolved, baseUrl: address, issuer, audiences } as ResolvedServiceOptions;
}

/** Service names are what clients are injected by: each must be given, and once. Throws `KeycloakOptionsError`. */
export function checkServiceNames(names: readonly unknown[], module = FOR_FEATURE.module): void {
  const faults = new ConfigurationFaults();
  names.forEach((name, at) => {
    nonEmptyString(`name of service ${at + 1}`, name, { faults, allowInsecureRequests: false });
    if (names.indexOf(name) < at) faults.fault(`name ${JSON.stringify(name)} is given twice`);
  });
  faults.throwIfFaulty((all) => new KeycloakOptionsError(module, all));
}
