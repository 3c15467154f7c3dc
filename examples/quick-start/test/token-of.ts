export async function tokenOf(issuer: string, username: string): Promise<string> {
  const form = { grant_type: 'password', client_id: 'cli', username, password: username, scope: 'openid orders.read' };
  const answer = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  return access_token;
}
