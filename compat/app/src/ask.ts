export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function ask(url: string, token?: string): Promise<Answer> {
  const answer = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

export async function tokenOf(username: string, issuer = process.env['ISSUER'] ?? ''): Promise<string> {
  const form = { grant_type: 'password', client_id: 'cli', username, password: username, scope: 'openid orders.read' };
  const body = new URLSearchParams(form);
  const answer = await fetch(`${issuer}/protocol/openid-connect/token`, { method: 'POST', body });
  return ((await answer.json()) as { access_token: string }).access_token;
}
