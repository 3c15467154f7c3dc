import type { Page } from '../pages/pages.js';

const NOTHING_CAME = 'The login did not finish';
const HEADINGS: Readonly<Record<string, string>> = {
  login_link_malformed: 'This login is not possible',
  login_too_weak: 'The login was not strong or recent enough',
  login_of_another_user: 'Another user logged in',
};

const ADVICE: Readonly<Record<string, string>> = {
  login_not_started_here:
    'This browser did not start that login, started it more than ten minutes ago, or has finished it already. If you were logged in before, you still are. Otherwise log in again, and stay in this browser and at this address (localhost and 127.0.0.1 are two addresses).',
  login_refused:
    'Keycloak did not log you in, or you went back. Nothing was changed: if you were logged in before, you still are. Otherwise log in again.',
  login_not_valid:
    'The answer did not match the request, so it was dropped. Nothing was changed: if you were logged in before, you still are. Otherwise log in again.',
  login_link_malformed:
    'The link asks for a level of authentication that this service does not know, or for an age that is not a number of seconds up to a day. Nothing was changed.',
  login_too_weak:
    'Keycloak did not log you in as strongly or as recently as required. The log says what was missing. If you were logged in before, you still are.',
  login_of_another_user:
    'This login had to confirm the user who is logged in here, but another user logged in, so it was dropped. Nothing was changed here. To change the user, log out first.',
  authorization_server_unavailable: 'Keycloak did not answer. Start it or wait until it is ready, then log in again.',
  authorization_server_refused:
    'Keycloak refused this service, not you. Check its client id, secret and redirect URI against the realm; the log says which one is wrong.',
};

const OTHER = 'Something went wrong on our side; the log says what. Log in again.';

export const loginFailedPage = (code: string): Page => ({
  template: 'login-failed',
  model: { advice: ADVICE[code] ?? OTHER, heading: HEADINGS[code] ?? NOTHING_CAME, offersLogin: !(code in HEADINGS) },
});

export const loggedOutHerePage = (): Page => ({ template: 'logged-out-here', model: {} });
