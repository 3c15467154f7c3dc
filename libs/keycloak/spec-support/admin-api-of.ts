import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Members = Readonly<Record<string, unknown>>;

export interface FakeRealm {
  readonly realm: string;
  readonly clients: readonly (Members & { readonly clientId: string })[];
  readonly clientScopes: readonly (Members & { readonly name: string })[];
  readonly roles: { readonly realm: readonly { readonly name: string }[] };
  readonly scopeMappings: readonly { readonly clientScope: string; readonly roles: readonly string[] }[];
}

/** With `undefined`, the server never answers. */
export type FakeAnswer = { readonly status?: number; readonly body: unknown } | undefined;

export class FakeAdminApi {
  readonly authorizations = new Set<string | undefined>();
  readonly methods = new Set<string | undefined>();
  readonly replaced = new Map<string, FakeAnswer>();

  private constructor(
    readonly server: Server,
    readonly url: string,
  ) {}

  static async start(realm: FakeRealm): Promise<FakeAdminApi> {
    const answers = answersOf(realm);
    const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      const path = (request.url ?? '').replace(/\?.*/, '');
      api.authorizations.add(request.headers.authorization);
      api.methods.add(request.method);
      const answer = api.replaced.has(path) ? api.replaced.get(path) : { body: undefined, ...answers.get(path) };
      if (answer === undefined) return;
      const { body } = answer;
      response.writeHead(answer.status ?? (body === undefined ? 404 : 200), { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const api = new FakeAdminApi(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return api;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function answersOf({ realm, clients, clientScopes, scopeMappings, roles, ...settings }: FakeRealm) {
  const base = `/admin/realms/${realm}`;
  const mapped = clientScopes.flatMap(({ name }) => {
    const mappings = scopeMappings.filter(({ clientScope }) => clientScope === name);
    const path = `${base}/client-scopes/${name}/scope-mappings`;
    return [
      [path, {}],
      [`${path}/realm/composite`, mappings.flatMap((each) => each.roles).map((role) => ({ name: role }))],
    ] as const;
  });
  return new Map<string, { readonly body: unknown }>(
    [
      [base, settings] as const,
      [`${base}/clients`, clients.map((client) => ({ ...client, id: client.clientId }))] as const,
      [`${base}/client-scopes`, clientScopes.map((scope) => ({ ...scope, id: scope.name }))] as const,
      [`${base}/roles`, roles.realm.map(({ name }) => ({ id: name, name }))] as const,
      [`${base}/default-groups`, []] as const,
      ...['default', 'optional'].map((kind) => [`${base}/default-${kind}-client-scopes`, []] as const),
      ...mapped,
    ].map(([path, body]) => [path, { body }]),
  );
}
