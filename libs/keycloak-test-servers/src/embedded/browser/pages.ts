/** The pages for users: plain HTML without scripts, styles or external resources. */
import type { HttpAnswer } from '../http/http-call.js';

export interface LoginPage {
  readonly realm: string;
  readonly action: string;
  readonly username?: string | undefined;
  /** A user who is logged in already must enter the password again, and can't change the user name. */
  readonly isUsernameFixed: boolean;
  readonly error?: string | undefined;
}

const HEADERS = {
  'content-type': 'text/html;charset=utf-8',
  'cache-control': 'no-store, must-revalidate, max-age=0',
  // No `form-action`: Chromium would also apply it to the redirect to the client that follows the login.
  'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Names and ids are those of Keycloak's form, so that a test can fill in both. */
export function loginPage({ realm, action, username = '', isUsernameFixed, error }: LoginPage): HttpAnswer {
  const isBad = error === undefined ? '' : ' aria-invalid="true" aria-describedby="input-error"';
  const name = isUsernameFixed ? ' readonly' : ' autofocus';
  return page(
    200,
    `Sign in to ${realm}`,
    `<h1>Sign in to your account</h1>
${error === undefined ? '' : `<p id="input-error" role="alert">${escaped(error)}</p>\n`}<form id="kc-form-login" method="post" action="${escaped(action)}">
<p><label for="username">Username or email</label>
<input id="username" name="username" type="text" autocomplete="username" value="${escaped(username)}"${name}${isBad}></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"${isUsernameFixed ? ' autofocus' : ''}${isBad}></p>
<p><button id="kc-login" type="submit">Sign In</button></p>
</form>`,
  );
}

export const confirmLogoutPage = (action: string, sessionCode: string): HttpAnswer =>
  page(
    200,
    'Logging out',
    `<h1>Logging out</h1>
<form method="post" action="${escaped(action)}">
<p>Do you want to log out?</p>
<input type="hidden" name="session_code" value="${escaped(sessionCode)}">
<p><input id="kc-logout" name="confirmLogout" type="submit" value="Logout"></p>
</form>`,
  );

export const loggedOutPage = (headers: Readonly<Record<string, string>>): HttpAnswer =>
  page(200, 'You are logged out', '<h1>You are logged out</h1>', headers);

export const errorPage = (message: string): HttpAnswer =>
  page(400, 'We are sorry', `<h1>We are sorry...</h1>\n<p id="kc-error-message">${escaped(message)}</p>`);

const page = (
  status: number,
  title: string,
  main: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer => ({
  status,
  headers: { ...HEADERS, ...headers },
  body: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title></head>
<body><main>
${main}
</main></body>
</html>
`,
});

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
