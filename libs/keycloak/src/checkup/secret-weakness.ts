/** Secret weakness: whether a client secret is one that others can guess. */

/** Keycloak makes secrets of 32 characters. */
const MIN_LENGTH = 16;

/** The form of the secrets that demonstrations publish, such as `a-secret`. */
const DEMO_FORM = /^[a-z0-9-]+-secret$/i;

/** The end of a sentence about the secret, which says nothing of what is in it; undefined for one that is well. */
export function secretWeakness({
  clientId,
  clientSecret,
}: {
  readonly clientId: string;
  readonly clientSecret: string;
}): string | undefined {
  if (DEMO_FORM.test(clientSecret)) return 'is a published demo secret, or has their form';
  if (clientSecret.includes(clientId)) return 'holds the client id';
  return clientSecret.length < MIN_LENGTH ? `is shorter than ${MIN_LENGTH} characters` : undefined;
}
