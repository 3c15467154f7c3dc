/** Login page: the page model for a failed login, with a sentence that says what to do about it. */
import type { Page } from '../pages/pages.js';

const ADVICE: Readonly<Record<string, string>> = {
  login_not_started_here:
    'This browser did not start that login, started it more than ten minutes ago, or has finished it already. Log in again, and stay in this browser.',
  login_refused: 'Keycloak did not log you in, or you went back. Nothing was changed. Log in again.',
  login_not_valid: 'The answer did not match the request, so it was dropped and nobody is logged in. Log in again.',
  authorization_server_unavailable: 'Keycloak did not answer. Start it or wait until it is ready, then log in again.',
  authorization_server_refused:
    'Keycloak refused this service, not you. Check its client id, secret and redirect URI against the realm; the log says which one is wrong.',
};

const OTHER = 'Something went wrong on our side; the log says what. Log in again.';

export const loginFailedPage = (code: string): Page => ({
  template: 'login-failed',
  model: { advice: ADVICE[code] ?? OTHER },
});
