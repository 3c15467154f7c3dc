/** DeclaredScopes: holds the calls of a service to the scopes that its registration names. */
import { canonicalScope, parseScope } from '../protocol/scope.js';

/** In whose name a call is made. */
export type InWhoseName = 'asService' | 'onBehalfOf';

/** What may be asked for by each kind of call. */
export type ScopesOfCalls = Readonly<Record<InWhoseName, readonly string[]>>;

/** Scopes are literals of the code, so there are few. */
const MAX_REMEMBERED = 1000;
const MAX_LENGTH = 1000;

export class DeclaredScopes {
  /** The canonical scope, by the scope as the application wrote it. */
  readonly #accepted = { asService: new Map<string, string>(), onBehalfOf: new Map<string, string>() };

  /** `declared` is undefined where any scope may be asked for. */
  constructor(
    private readonly service: string,
    private readonly declared: ScopesOfCalls | undefined,
  ) {}

  /**
   * Returns the canonical form of a scope (a space-separated set), or '' for none. Throws `TypeError` for a scope that is empty or malformed,
   * or that has a member that was not declared.
   */
  canonical(kind: InWhoseName, scope: string | undefined): string {
    return scope === undefined ? '' : (this.#accepted[kind].get(scope) ?? this.#accept(kind, scope));
  }

  #accept(kind: InWhoseName, scope: string): string {
    const canonical = canonicalScope(scope);
    const { declared } = this;
    const undeclared = declared && parseScope(canonical).find((token) => !declared[kind].includes(token));
    if (undeclared !== undefined) {
      throw new TypeError(
        `${this.service}: ${kind}(…) asks for the scope ${JSON.stringify(undeclared)}, which is not among the scopes it is registered with`,
      );
    }
    if (this.#accepted[kind].size < MAX_REMEMBERED && scope.length <= MAX_LENGTH)
      this.#accepted[kind].set(scope, canonical);
    return canonical;
  }
}
