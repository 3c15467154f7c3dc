import { createHash } from 'node:crypto';
import type { HttpAnswer } from '../http/http-call.js';

export interface LoginPage {
  readonly realm: string;
  readonly action: string;
  readonly username?: string | undefined;
  readonly isUsernameFixed: boolean;
  readonly isPasswordAlone: boolean;
  readonly error?: string | undefined;
  readonly users: readonly string[];
}

const STYLE = `:root{color-scheme:light dark;--ink:light-dark(#16202b,#e8edf2);--soft:light-dark(#51606f,#a3b1bf);--paper:light-dark(#fff,#12181f);--card:light-dark(#f3f6f9,#1b242e);--line:light-dark(#8492a0,#5b6b7b);--accent:light-dark(#0b5cad,#6db3f8);--accent-ink:light-dark(#fff,#0b1520);--refused:light-dark(#a3260f,#ff9d88)}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:var(--paper);font:1.0625rem/1.6 system-ui,sans-serif}
main{max-width:26rem;margin:0 auto;padding:clamp(2rem,12vh,7rem) 1.25rem 2rem}
h1{margin:0 0 1.5rem;font-size:1.75rem;line-height:1.2}
form{padding:1.5rem;border-radius:.75rem;background:var(--card)}
form p{margin:0 0 1rem}
form p:last-child{margin:0}
label{display:block;font-weight:600}
input:not([type=hidden]),button{width:100%;min-height:2.75rem;padding:.5rem .75rem;border:1px solid var(--line);border-radius:.5rem;color:var(--ink);background:var(--paper);font:inherit}
button,input[type=submit]{border-color:var(--accent);color:var(--accent-ink);background:var(--accent);font-weight:600;cursor:pointer}
input[aria-invalid]{border-color:var(--refused)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
[role=alert]{color:var(--refused);font-weight:600}
.note{color:var(--soft);font-size:.9375rem}`;

const HEADERS = {
  'content-type': 'text/html;charset=utf-8',
  'cache-control': 'no-store, must-revalidate, max-age=0',
  // The policy has no `form-action`, since Chromium would also apply `form-action` to the redirect to the client.
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Uses the names and ids of Keycloak's form, so that a test can log in to both servers. */
export function loginPage({
  realm,
  action,
  username = '',
  isUsernameFixed,
  isPasswordAlone,
  error,
  users,
}: LoginPage): HttpAnswer {
  const isBad = error === undefined ? '' : ' aria-invalid="true" aria-describedby="input-error"';
  const name = isUsernameFixed ? ' readonly' : ' autofocus';
  return page(
    200,
    `Sign in to ${realm}`,
    `<h1>${isPasswordAlone ? 'Sign In' : 'Sign in to your account'}</h1>
${error === undefined ? '' : `<p id="input-error" role="alert">${escaped(error)}</p>\n`}<form id="kc-form-login" method="post" action="${escaped(action)}">
<p><label for="username">Username or email</label>
<input id="username" name="username" type="text" autocomplete="username" value="${escaped(username)}"${name}${isBad}></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"${isUsernameFixed ? ' autofocus' : ''}${isBad}></p>
<p><button id="kc-login" type="submit">Sign In</button></p>
</form>
${noteOn(realm, users)}`,
  );
}

const noteOn = (realm: string, users: readonly string[]): string =>
  `<p class="note">The embedded server, in place of Keycloak. ${
    users.length === 0
      ? ''
      : `The realm ${escaped(realm)} has the users ${users.map((user) => `<strong>${escaped(user)}</strong>`).join(', ')}; their passwords are in the realm file.`
  }</p>`;

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
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${STYLE}</style></head>
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
