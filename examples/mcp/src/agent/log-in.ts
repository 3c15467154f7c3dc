/**
 * Logs in at the login page of Keycloak as a user would in a browser, and returns the parameters of the callback. A real
 * agent opens the user's browser, and never sees the password.
 */
export async function logIn(authorizationUrl: URL, username: string, password: string): Promise<URLSearchParams> {
  const page = await fetch(authorizationUrl, { redirect: 'manual' });
  const action = /<form[^>]* action="([^"]*)"/.exec(await page.text())?.[1]?.replaceAll('&amp;', '&');
  if (action === undefined) return callbackOf(page);
  const cookies = page.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
  const answer = await fetch(new URL(action, authorizationUrl), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: cookies.join('; ') },
    body: new URLSearchParams({ username, password }),
  });
  if (answer.status === 200) throw new Error(`Keycloak refuses the password of ${username}`);
  return callbackOf(answer);
}

function callbackOf({ headers, status }: Response): URLSearchParams {
  const location = headers.get('location');
  if (location === null) throw new Error(`The login page answered ${status}, and redirected to no callback`);
  return new URL(location).searchParams;
}
