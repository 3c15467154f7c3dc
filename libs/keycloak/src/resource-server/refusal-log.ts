import { publishRefusal } from '../diagnostics/refusal-channel.js';
import { RepeatedLines } from '../diagnostics/repeated-lines.js';
import { loggedFields } from '../protocol/failure-hints.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import { ownerOf, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { CallContext } from './request.adapter.js';
import { describeHandler, describeRequest, routeOf } from './request-description.js';
import { callTokenOf, verifiedTokenOf } from './verified-requests.js';

interface Lines {
  log(line: object): void;
  error(line: object): void;
}

/**
 * The log writes at most 20 lines in ten seconds per reason and route. Every ten seconds, the log writes one more line
 * with the `count` of the omitted refusals. In total, the log writes at most 1000 refusals and 1000 failures in ten
 * seconds. Lines with a `count` do not count for the limits. A 403 other than `route_closed` is always logged, outside
 * the limits.
 */
export class RefusalLog {
  /** Refusals and failures have separate limits, so that many refusals can't keep failures out of the log. */
  readonly #repeated = { refused: new RepeatedLines(), failed: new RepeatedLines() };
  readonly #issuers: ReadonlySet<unknown>;

  constructor(
    private readonly lines: Lines,
    issuers: readonly { readonly issuer: string }[],
  ) {
    this.#issuers = new Set(issuers.map(({ issuer }) => issuer));
  }

  write(refusal: KeycloakException, host: CallContext | undefined, where: Readonly<Record<string, string>>): void {
    publishRefusal(refusal);
    const { code, reason, permission, authentication } = refusal;
    const isDenied = isDenial(refusal);
    const isHttp = host?.getType<string>() === 'http';
    const request: unknown = isHttp ? host?.switchToHttp().getRequest() : undefined;
    const line = {
      code,
      reason,
      ...(permission === undefined ? {} : { permission }),
      ...(authentication === undefined ? {} : { demanded: authentication }),
      ...(isHttp ? describeRequest(request) : describeHandler(host)),
      ...where,
      ...(isDenied ? denialOf(host) : {}),
      ...loggedFields(refusal),
    };
    const kind = { code, reason, ...(isHttp ? routeOf(request) : describeHandler(host)), ...where };
    if (isDenied || this.#admits(kind, refusal)) this.#write(refusal, line);
  }

  #admits(of: object, refusal: KeycloakException): boolean {
    const { iss } = refusal.fields as { readonly iss?: unknown };
    // The `iss` of an unverified token may be any text.
    const kind = { ...of, ...(this.#issuers.has(iss) ? { iss } : {}) };
    const repeated = refusal.httpStatus >= 500 ? this.#repeated.failed : this.#repeated.refused;
    return repeated.admits(JSON.stringify(kind), (unwritten) => {
      if (unwritten.isMixed === true) this.#write(refusal, unwritten, ', and requests with other reasons or routes');
      else this.#write(refusal, { ...kind, ...unwritten }, ', and others for the same reason');
    });
  }

  #write({ httpStatus }: KeycloakException, line: object, further = ''): void {
    if (httpStatus >= 500) this.lines.error({ message: `Request failed${further}`, ...line });
    else this.lines.log({ message: `Request refused${further}`, ...line });
  }

  end(): void {
    this.#repeated.refused.end();
    this.#repeated.failed.end();
  }
}

/** Excludes `route_closed`, because a closed route refuses every caller and verifies no token. */
const isDenial = ({ code, httpStatus }: KeycloakException): boolean => httpStatus === 403 && code !== 'route_closed';

/** If the guard refused the call, the refusal already contains the fields of the token. */
function denialOf(host: CallContext | undefined): Readonly<Record<string, unknown>> {
  const token = host === undefined ? undefined : tokenAdmittedBy(host);
  return { audit: 'denial', ...(token === undefined ? {} : ownerOf(token)) };
}

function tokenAdmittedBy(host: CallContext): VerifiedAccessToken | undefined {
  if (host.getType<string>() !== 'http') return callTokenOf(host.getArgs());
  const request: unknown = host.switchToHttp().getRequest();
  return typeof request === 'object' && request !== null ? verifiedTokenOf(request) : undefined;
}
