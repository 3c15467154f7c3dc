/** SealedSessions: how a session is written into a store that others can read and write, and read from it. */
import type { SealingKeys } from 'nestjs-keycloak-s2s/valkey';
import { SessionStoreError } from '../session-store-error.js';
import { OpenIdTokens, type OpenIdTokensParts } from '../openid-tokens.js';
import type { RecheckTimes } from '../session-rechecks.js';
import type { UserSession } from '../user-session.js';

type Written = Omit<UserSession, 'tokens'> & { readonly tokens: OpenIdTokensParts };

/** What is sealed says what it is, and where it belongs: put elsewhere, it does not open. */
export class SealedSessions {
  readonly #keys: SealingKeys;

  constructor(
    keys: SealingKeys,
    private readonly issuer: string,
    private readonly clientId: string,
  ) {
    this.#keys = keys;
  }

  write(key: string, { tokens, ...session }: UserSession): string {
    const written: Written = { ...session, tokens: tokens.reveal() };
    return this.#keys.seal(JSON.stringify(written), this.#associated('session', key));
  }

  /** Undefined for what this service did not write there. */
  read(key: string, sealed: string): UserSession | undefined {
    const written = this.#keys.open(sealed, this.#associated('session', key));
    if (written === undefined) return undefined;
    const { tokens, ...session } = JSON.parse(written) as Written;
    return { ...session, tokens: new OpenIdTokens(tokens) };
  }

  writeRecheck(times: RecheckTimes): string {
    return this.#keys.seal(JSON.stringify(times), this.#associated('recheck'));
  }

  /** Undefined for a text that this service did not write. Throws `SessionStoreError` for one of a newer version: it may say that sessions have ended. */
  readRecheck(sealed: string): RecheckTimes | undefined {
    const written = this.#keys.open(sealed, this.#associated('recheck'));
    if (written === undefined && this.#keys.isNewer(sealed)) throw new SessionStoreError('newer_format');
    return written === undefined ? undefined : (JSON.parse(written) as RecheckTimes);
  }

  /** The names of what is about `value`, which tell nothing of it. */
  names(kind: string, value: string): readonly [first: string, ...others: string[]] {
    return this.#keys.names(this.#associated(kind, value));
  }

  /** The first number counts the forms in which sessions were written: a later one does not open an earlier one. */
  #associated(kind: string, ...value: readonly string[]): string[] {
    return ['1', this.issuer, this.clientId, kind, ...value];
  }
}

/** How a sealed text begins: no two begin alike, since each has a salt of its own. */
export const beginningOf = (sealed: string): string => sealed.slice(0, 44);
