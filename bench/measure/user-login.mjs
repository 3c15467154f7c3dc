// Logs a user in like a browser, so that Keycloak's session includes Service A.
import { createHash, randomBytes } from 'node:crypto';
import { clientTokens, exchangedToken, publicTokens } from './keycloak.mjs';

export async function logInAtServiceA(keycloak, redirect_uri, username = 'alice') {
  const asked = { client_id: 'service-a', redirect_uri, scope: 'openid orders.read' };
  const form = await codeGrant(keycloak, asked, username);
  const { access_token: a, refresh_token: refresh } = await clientTokens(keycloak, 'service-a', form);
  const b = await exchangedToken(keycloak, 'service-a', a, { audience: 'service-b', scope: 'orders.approve' });
  const c = await exchangedToken(keycloak, 'service-b', b, { audience: 'service-c', scope: 'analytics.run' });
  const { sid } = JSON.parse(Buffer.from(a.split('.')[1], 'base64url').toString());
  return { sid, a, b, c, refresh };
}

export async function logInAtConsole(keycloak, username) {
  const client_id = 'account-console';
  const asked = { client_id, redirect_uri: `${keycloak.issuer}/account/`, scope: 'openid' };
  const form = await codeGrant(keycloak, asked, username);
  return (await publicTokens(keycloak, { ...form, client_id })).access_token;
}

async function codeGrant(keycloak, asked, username) {
  const verifier = randomBytes(32).toString('base64url');
  const code = await codeOf(keycloak, asked, verifier, username);
  const { redirect_uri } = asked;
  return { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier };
}

async function codeOf({ issuer }, { client_id, redirect_uri, scope }, verifier, username) {
  const asked = new URLSearchParams({
    client_id,
    response_type: 'code',
    redirect_uri,
    scope,
    state: 'the-state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const page = await fetch(`${issuer}/protocol/openid-connect/auth?${asked}`);
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const action = /<form[^>]* action="([^"]*)"/.exec(await page.text())?.[1]?.replaceAll('&amp;', '&');
  if (action === undefined) throw new Error(`Keycloak shows no login form: ${page.status}`);
  const answer = await fetch(new URL(action, issuer), {
    method: 'POST',
    headers: { cookie },
    body: new URLSearchParams({ username, password: username }),
    redirect: 'manual',
  });
  const code = new URL(answer.headers.get('location') ?? 'none:').searchParams.get('code');
  if (code === null) throw new Error(`Keycloak gave no code: ${answer.status}`);
  return code;
}
