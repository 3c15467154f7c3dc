/** Verification outcome: what a service says of a token, in one word. */
import type { ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { KeycloakException } from '../../libs/keycloak/src/protocol/keycloak-exception.js';

/** `accepted`, or the reason of the refusal. */
export const outcomeAt = ({ verifier }: Pick<ComposedKeycloak, 'verifier'>, token: string): Promise<string> =>
  verifier.verify(token).then(
    () => 'accepted',
    (error: unknown) => {
      if (error instanceof KeycloakException) return error.reason;
      throw error;
    },
  );
