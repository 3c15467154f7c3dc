import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createService, readServiceSettings, serviceAdapter } from 'service-defaults';
import { prefixOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { moduleOf, SERVICES } from '../support/services.js';

const IN_EACH_MODE = SERVICES.flatMap(({ name }) => [false, true].map((demoMode) => ({ name, demoMode })));

const NOWHERE = 'http://127.0.0.1:9';
const SECRET = 'A secret of this spec, which opens nothing.';

type Requirement = Readonly<Record<string, readonly string[]>>;

interface Operation {
  readonly operationId: string;
  readonly security?: readonly Requirement[];
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

interface Described {
  readonly app: NestFastifyApplication;
  readonly routes: readonly string[];
  readonly report: ReadonlyMap<string, string>;
}

let before: NodeJS.ProcessEnv;
beforeEach(() => {
  before = { ...process.env };
});
let app: NestFastifyApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});

async function start(name: string, variables: Readonly<Record<string, string>>): Promise<Described> {
  const { calls, login = false } = SERVICES.find((service) => service.name === name) ?? { calls: [] };
  Object.assign(process.env, {
    NODE_ENV: 'development',
    KEYCLOAK_BASE_URL: NOWHERE,
    KEYCLOAK_REALM: 'microservices',
    [`${prefixOf(name)}_CLIENT_SECRET`]: SECRET,
    [`${prefixOf(name)}_SESSION_SECRET`]: SECRET,
    ...Object.fromEntries(calls.map((called) => [`${prefixOf(called)}_URL`, NOWHERE])),
    PUBLIC_URL: 'https://shop.example.com',
    ...variables,
  });
  const description = { name, port: 0, calls: Object.fromEntries(calls.map((called) => [called, {}])) };
  const settings = readServiceSettings(process.env, login ? { ...description, login } : description);
  const module = await moduleOf(name);
  const adapter = serviceAdapter();
  const routes = new Set<string>();
  adapter.getInstance().addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) {
      if (each !== 'HEAD' && each !== 'OPTIONS') routes.add(`${each} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    }
  });
  const report = new Map<string, string>();
  const logger: LoggerService = {
    log(line: unknown) {
      for (const [, type, method, opens] of String(line).matchAll(/^ {2}(\w+)\.(\w+) \([A-Z]+\): (.+)$/gm)) {
        report.set(`${type}_${method}`, opens ?? '');
      }
    },
    warn: () => undefined,
    error: () => undefined,
  };
  app = await createService(
    module.register(settings),
    { ...settings, telemetry: undefined, logger: logger as never },
    adapter,
  );
  await app.listen(0, '127.0.0.1');
  return { app, routes: [...routes].toSorted(), report };
}

async function get(service: NestFastifyApplication, path: string): Promise<Response> {
  return fetch(new URL(path, await service.getUrl()));
}

async function documentOf(service: NestFastifyApplication): Promise<Document> {
  const answer = await get(service, '/openapi.json');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  return (await answer.json()) as Document;
}

function requirementsOf(opens: string): readonly Requirement[] {
  if (opens === '@Public()') return [];
  const listed = /@RequirePermission\(([^)]*)\)/.exec(opens)?.[1] ?? '';
  const scopes = [...listed.matchAll(/'([^']+)'/g)].map(([, name = '']) => name);
  return [{ keycloak: scopes }, { bearer: scopes }, ...(opens.includes('@OptionalToken()') ? [{}] : [])];
}

const operationsOf = ({ paths }: Document): (Operation & { readonly place: string })[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, place: `${method.toUpperCase()} ${path}` })),
  );

describe.each(IN_EACH_MODE)('the OpenAPI document of $name with DEMO_MODE=$demoMode', ({ name, demoMode }) => {
  const variables = { DEMO_MODE: String(demoMode) };

  it('lists every route with the scopes from the access report (RS-25)', async () => {
    const { app: service, routes, report } = await start(name, variables);
    const operations = operationsOf(await documentOf(service));
    expect(operations.map(({ place }) => place).toSorted()).toEqual(routes);
    expect(Object.fromEntries(operations.map(({ operationId, security }) => [operationId, security]))).toEqual(
      Object.fromEntries([...report].map(([id, opens]) => [id, requirementsOf(opens)])),
    );
    expect(report.size).toBe(operations.length);
    expect(report.size).toBeGreaterThan(5);
  });

  it('is valid', async () => {
    const { app: service } = await start(name, variables);
    const document = await documentOf(service);
    expect(await new Validator().validate(document as never)).toMatchObject({ valid: true });
  });
});

describe.each(SERVICES.map(({ name }) => ({ name })))('the protected resource metadata of $name', ({ name }) => {
  const path = '/.well-known/oauth-protected-resource';

  it('does not exist if RESOURCE_URL is not set', async () => {
    const { app: service, routes } = await start(name, {});
    expect((await get(service, path)).status).toBe(404);
    expect(routes.filter((route) => route.includes('oauth-protected-resource'))).toEqual([]);
  });

  it('names the scopes of all routes, and is in the OpenAPI document (RS-22, RS-25)', async () => {
    const resource = `https://${name}.example.com`;
    const { app: service, routes } = await start(name, { RESOURCE_URL: resource });
    const answer = await get(service, path);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=3600']);
    const document = await documentOf(service);
    const demanded = operationsOf(document).flatMap(({ security = [] }) =>
      security.flatMap((one) => one['keycloak'] ?? []),
    );
    expect(await answer.json()).toEqual({
      resource,
      authorization_servers: [`${NOWHERE}/realms/microservices`],
      bearer_methods_supported: ['header'],
      scopes_supported: [...new Set(demanded)].toSorted(),
      resource_name: name,
    });
    expect(routes).toContain(`GET ${path}`);
    expect(document.paths[path]?.['get']?.security).toEqual([]);
    const refused = await get(service, '/health/details');
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="${name}", resource_metadata="${resource}${path}"`,
    );
  });
});

describe('the OpenAPI document of a service', () => {
  it('describes each request body with the rules that validate the request body', async () => {
    const { app: service } = await start('service-b', {});
    expect((await documentOf(service)).components.schemas).toMatchObject({
      ProcessOrderDto: {
        type: 'object',
        properties: { order_id: { type: 'integer', maximum: 1e9 }, amount: { type: 'number', minimum: 0.01 } },
        required: ['order_id', 'amount'],
        additionalProperties: false,
      },
      AdjustInventoryDto: { properties: { sku: { type: 'string', pattern: '^[A-Z0-9][A-Z0-9-]{0,31}$' } } },
    });
  });

  it('is available in production only if OPENAPI is true, and has no HTML page in production', async () => {
    const inProduction = { NODE_ENV: 'production', KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true' };
    const found = async (variables: Readonly<Record<string, string>>): Promise<readonly number[]> => {
      const { app: service } = await start('service-c', variables);
      const answers = [await get(service, '/openapi.json'), await get(service, '/openapi')];
      await service.close();
      app = undefined;
      return answers.map(({ status }) => status);
    };
    expect(await found({})).toEqual([200, 200]);
    expect(await found({ OPENAPI: 'false' })).toEqual([404, 404]);
    expect(await found({ ...inProduction, OPENAPI: '' })).toEqual([404, 404]);
    expect(await found({ ...inProduction, OPENAPI: 'true' })).toEqual([200, 404]);
  });
});

describe('the HTML page of an OpenAPI document', () => {
  it('loads only files of the service, and has a separate content security policy', async () => {
    const { app: service } = await start('service-c', {});
    const policyOf = ({ headers }: Response): string | null => headers.get('content-security-policy');
    const page = await get(service, '/openapi');
    expect(policyOf(page)).toBe(
      "default-src 'none';style-src 'self';img-src 'self' data:;script-src 'self';connect-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none'",
    );
    const html = await page.text();
    expect(html).not.toMatch(/<style|style=|<script>|https?:/);
    const files = [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(([, path]) => `/${path}`);
    expect(files).toHaveLength(3);
    for (const path of files) {
      const file = await get(service, path);
      expect([file.status, (await file.text()).length > 20]).toEqual([200, true]);
      expect(file.headers.get('content-type')).toMatch(/^text\/(css|javascript); charset=utf-8$/);
      expect(policyOf(file)).not.toContain('data:');
    }
    expect(policyOf(await get(service, '/openapi.json'))).toContain("img-src 'self';");
  });
});
