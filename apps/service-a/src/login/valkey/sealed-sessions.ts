import type { SealingKeys } from 'nestjs-keycloak-s2s/valkey';
import { SessionStoreError } from '../session-store-error.js';
import { OpenIdTokens, type OpenIdTokensParts } from '../openid-tokens.js';
import type { RecheckTimes } from '../session-rechecks.js';
import type { UserSession } from '../user-session.js';

type Written = Omit<UserSession, 'tokens'> & { readonly tokens: OpenIdTokensParts };

/** The encryption binds a text to its kind and key, so that a copy under another key can't be decrypted. */
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

  read(key: string, sealed: string): UserSession | undefined {
    const written = this.#keys.open(sealed, this.#associated('session', key));
    if (written === undefined) return undefined;
    const { tokens, ...session } = JSON.parse(written) as Written;
    return { ...session, tokens: new OpenIdTokens(tokens) };
  }

  writeRecheck(times: RecheckTimes): string {
    return this.#keys.seal(JSON.stringify(times), this.#associated('recheck'));
  }

  /**
   * Returns undefined for a text that this service did not write. Throws `SessionStoreError` if a newer version of
   * Service A wrote the text, because the text may end sessions.
   */
  readRecheck(sealed: string): RecheckTimes | undefined {
    const written = this.#keys.open(sealed, this.#associated('recheck'));
    if (written === undefined && this.#keys.isNewer(sealed)) {
      const hint =
        'Another replica runs a newer version of Service A. Update this replica, or empty the session store.';
      throw new SessionStoreError('newer_format', hint);
    }
    return written === undefined ? undefined : (JSON.parse(written) as RecheckTimes);
  }

  names(kind: string, value: string): readonly [first: string, ...others: string[]] {
    return this.#keys.names(this.#associated(kind, value));
  }

  /** The first item is the version of the format, so that no other version can decrypt the text. */
  #associated(kind: string, ...value: readonly string[]): string[] {
    return ['1', this.issuer, this.clientId, kind, ...value];
  }
}

/** The beginning is unique, since each sealed text contains a random salt. */
export const beginningOf = (sealed: string): string => sealed.slice(0, 44);
