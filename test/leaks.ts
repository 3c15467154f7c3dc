/** Leaks: tokens in what somebody got to see who should see none. */

export interface Sight {
  /** What a failed test shows: no more of a token than where it was. */
  readonly where: string;
  readonly text: string;
  /** Something that has the form of a token by right: the cookies that Keycloak leaves with browsers. */
  readonly mayLookLikeToken?: boolean;
}

/** Two parts of JSON, base64url, and a signature, which may be empty: any signed or unsigned JWT. A sealed one (JWE) is none. */
const JWT = /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/;

/** Where anything looks like a token, or is one of those that were issued. */
export function leaksIn(sights: readonly Sight[], issued: readonly string[]): string[] {
  return sights.flatMap(({ where, text, mayLookLikeToken = false }) => {
    const leaks = issued.some((token) => text.includes(token)) || (!mayLookLikeToken && JWT.test(text));
    return leaks ? [where] : [];
  });
}
