import type { IgnoredPart } from './ignored-part.js';
import { toList, toRecord } from './realm-representation.js';

/** A condition (`conditional-…`) only decides whether the other authenticators of its flow run. */
const USED = /^(auth-cookie|auth-username-password-form|auth-password-form|conditional-.*)$/;
/** This authenticator has an effect only with an identity provider. */
const REDIRECTOR = 'identity-provider-redirector';

/** Keycloak's own browser flow asks only users with a second factor for more than a password. */
export function ignoredAuthenticators(realm: Readonly<Record<string, unknown>>): IgnoredPart[] {
  const flows = new Map(toList(realm['authenticationFlows']).map((flow) => [toRecord(flow)['alias'], toRecord(flow)]));
  const browserFlow = realm['browserFlow'];
  const namesIn = (alias: unknown, above: readonly unknown[]): string[] =>
    toList(flows.get(alias)?.['authenticationExecutions'])
      .map(toRecord)
      .filter(({ requirement }) => requirement !== 'DISABLED')
      .flatMap(({ authenticator, flowAlias }) => {
        if (typeof authenticator === 'string') return [authenticator];
        return above.includes(flowAlias) ? [] : namesIn(flowAlias, [...above, flowAlias]);
      });
  if (toRecord(flows.get(browserFlow))['builtIn'] === true) return [];
  return namesIn(browserFlow, [browserFlow])
    .filter((name) => !USED.test(name) && name !== REDIRECTOR)
    .map((name) => ({ name, owner: `flow ${String(browserFlow)}` }));
}
