import { canonicalScope, parseScope } from '../protocol/scope.js';

export type InWhoseName = 'asService' | 'onBehalfOf';

export type ScopesOfCalls = Readonly<Record<InWhoseName, readonly string[]>>;

/** An application has few different scope strings, because scopes are literals in its code. */
const MAX_REMEMBERED = 1000;
const MAX_LENGTH = 1000;

export class DeclaredScopes {
  readonly #accepted = { asService: new Map<string, string>(), onBehalfOf: new Map<string, string>() };

  /** `declared` is undefined if calls may ask for any scope. */
  constructor(
    private readonly service: string,
    private readonly declared: ScopesOfCalls | undefined,
  ) {}

  canonical(kind: InWhoseName, scope: string | undefined): string {
    return scope === undefined ? '' : (this.#accepted[kind].get(scope) ?? this.#accept(kind, scope));
  }

  #accept(kind: InWhoseName, scope: string): string {
    const canonical = canonicalScope(scope);
    const { declared } = this;
    const undeclared = declared && parseScope(canonical).find((token) => !declared[kind].includes(token));
    if (undeclared !== undefined) {
      throw new TypeError(
        `${this.service}: ${kind}(…) asks for the scope ${JSON.stringify(undeclared)}, but the service is registered without it`,
      );
    }
    if (this.#accepted[kind].size < MAX_REMEMBERED && scope.length <= MAX_LENGTH)
      this.#accepted[kind].set(scope, canonical);
    return canonical;
  }
}
