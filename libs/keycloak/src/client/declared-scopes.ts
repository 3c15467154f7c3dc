/** DeclaredScopes: holds the calls of a service to the scopes that its registration names. */
import { parseScope } from '../protocol/scope.js';

/** In whose name a call is made. */
export type InWhoseName = 'asSelf' | 'onBehalfOf';

/** What may be asked for by each kind of call. */
export type ScopesOfCalls = Readonly<Record<InWhoseName, readonly string[]>>;

/** Scopes are literals of the code, so there are few. */
const MAX_REMEMBERED = 1000;

export class DeclaredScopes {
  readonly #accepted = { asSelf: new Set<string>(), onBehalfOf: new Set<string>() };

  /** `declared` is undefined where any scope may be asked for. */
  constructor(
    private readonly service: string,
    private readonly declared: ScopesOfCalls | undefined,
  ) {}

  /** Throws `TypeError` for a scope (a space-separated set) with a member that was not declared. None is less than what was. */
  check(kind: InWhoseName, scope = ''): void {
    if (this.declared === undefined || this.#accepted[kind].has(scope)) return;
    const undeclared = parseScope(scope).find((token) => this.declared?.[kind].includes(token) !== true);
    if (undeclared !== undefined) {
      throw new TypeError(
        `${this.service}: ${kind}(…) asks for the scope ${JSON.stringify(undeclared)}, which is not among the scopes it is registered with`,
      );
    }
    if (this.#accepted[kind].size < MAX_REMEMBERED) this.#accepted[kind].add(scope);
  }
}
