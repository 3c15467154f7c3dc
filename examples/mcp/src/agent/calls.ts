export interface Call {
  readonly from: string;
  readonly to: string;
  readonly aud: string;
  readonly azp: string;
  readonly scope: string;
}

type Claims = Readonly<Record<string, unknown>>;

export const callWith = (to: string, { aud, azp, scope }: Claims): Call => ({
  from: String(azp),
  to,
  aud: [aud].flat().join(' '),
  azp: String(azp),
  scope: String(scope),
});

/** For display only: a client can't rely on the format of its access token (RFC 6749 §1.4). */
export const claimsOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;

/** In the demonstration, Service B adds the claims of the tokens that Service B and Service C have received. */
export function readAnswer(text: string): { answer: object; calls: Call[] } {
  const { tokens = [], ...answer } = JSON.parse(text) as { tokens?: readonly { service: string; claims: Claims }[] };
  return { answer, calls: tokens.map(({ service, claims }) => callWith(service, claims)) };
}

export function tableOf(calls: readonly Call[]): string[] {
  const columns = ['from', 'to', 'aud', 'azp', 'scope'] as const;
  const rows = [Object.fromEntries(columns.map((name) => [name, name])) as unknown as Call, ...calls];
  const widthOf = (name: keyof Call) => Math.max(...rows.map((row) => row[name].length));
  return rows.map((row) =>
    columns
      .map((name) => row[name].padEnd(widthOf(name)))
      .join('  ')
      .trimEnd(),
  );
}
