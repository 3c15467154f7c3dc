import { expect, it } from '@jest/globals';
import { localTime } from './record-failed-login.js';

it("shows the end of a lockout in Keycloak's format, which omits zero seconds", () => {
  expect([1_700_000_000, 1_700_000_040, 1_700_006_400].map(localTime)).toEqual([
    '2023-11-14T22:13:20',
    '2023-11-14T22:14',
    '2023-11-15T00:00',
  ]);
});
