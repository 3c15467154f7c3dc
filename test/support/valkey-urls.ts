import type { Valkey } from '../../libs/keycloak/spec-support/valkey.js';
import type { Variables } from './running-service.js';
import { SERVICES } from './services.js';

export const urlsAt = (valkey: Valkey, what?: 'answers too'): Readonly<Record<string, Variables>> =>
  Object.fromEntries(
    SERVICES.map(({ name }) => {
      const url = valkey.urlOf(name);
      return [
        name,
        {
          SHARED_STATE_URL: url,
          ...(what === undefined ? {} : { SHARED_ANSWERS_URL: `${url}/1` }),
        } satisfies Variables,
      ];
    }),
  );
