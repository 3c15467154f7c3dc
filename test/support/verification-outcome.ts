import type { ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { KeycloakException } from '../../libs/keycloak/src/protocol/keycloak-exception.js';

export const outcomeAt = ({ verifier }: Pick<ComposedKeycloak, 'verifier'>, token: string): Promise<string> =>
  verifier.verify(token).then(
    () => 'accepted',
    (error: unknown) => {
      if (error instanceof KeycloakException) return error.reason;
      throw error;
    },
  );
