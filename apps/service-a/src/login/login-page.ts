/** Login page: for each way in which a login comes to nothing, the page with the sentence that says what to do about it. */
import type { Page } from '../pages/pages.js';

const ADVICE: Readonly<Record<string, string>> = {
  login_not_started_here:
    'This browser did not begin that login, or began it more than ten minutes ago, or has ended it already. Log in again, and stay in this browser.',
  login_refused: 'Keycloak did not log you in, or you went back: nothing was changed. Log in again.',
  login_not_valid: 'The answer did not fit what was asked for, so it was dropped: nobody is logged in. Log in again.',
  authorization_server_unavailable: 'Keycloak did not answer: start it, or wait until it is ready, and log in again.',
  authorization_server_refused:
    'Keycloak refused this service, not you: check its client id, secret and redirect address against the realm; the log says which.',
};

const OTHER = 'Something went wrong on our side: the log says what. Log in again.';

export const loginFailedPage = (code: string): Page => ({
  template: 'login-failed',
  model: { advice: ADVICE[code] ?? OTHER },
});
