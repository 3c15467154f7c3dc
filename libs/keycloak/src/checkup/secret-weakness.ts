/** Secrets that Keycloak generates have 32 characters. */
const MIN_LENGTH = 16;

/** The form of published demo secrets, such as `a-secret`. */
const DEMO_FORM = /^[a-z0-9-]+-secret$/i;

export interface SecretWeakness {
  readonly words: string;
  readonly isPublished: boolean;
}

export function secretWeakness({
  clientId,
  clientSecret,
}: {
  readonly clientId: string;
  readonly clientSecret: string;
}): SecretWeakness | undefined {
  if (DEMO_FORM.test(clientSecret)) return { words: 'is a published demo secret or looks like one', isPublished: true };
  if (clientSecret.includes(clientId) && clientId.length * 2 >= clientSecret.length)
    return { words: 'is hardly more than the client id', isPublished: false };
  if (clientSecret.length >= MIN_LENGTH) return undefined;
  return { words: `is shorter than ${MIN_LENGTH} characters`, isPublished: false };
}
