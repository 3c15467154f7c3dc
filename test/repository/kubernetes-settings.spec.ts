import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceConfig } from 'service-defaults';
import { CONNECTION_LIMITS } from '../../libs/service-defaults/src/connection-limits.js';
import {
  BuiltOverlays,
  canBuildManifests,
  filesOf,
  ofKind,
  podsOf,
  referencesOf,
  type KubernetesObject,
  type Overlay,
} from '../support/manifests.js';
import { environmentOf, mountFiles } from '../support/pod-files.js';
import { POLLER, SERVICES } from '../support/services.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const names = [...SERVICES.map(({ name }) => name).toSorted(), POLLER];

const withoutHash = (name: string): string => name.replace(/-[a-z0-9]{10}$/, '');

async function configOf(name: string): Promise<ServiceConfig> {
  const file = existsSync(join(root, 'apps', name, 'src/config.ts')) ? 'config' : `${name}.module`;
  const exported = (await import(`../../apps/${name}/src/${file}.js`)) as Readonly<Record<string, ServiceConfig>>;
  const [config] = Object.values(exported).filter((one) => 'description' in one);
  if (config === undefined) throw new Error(`${name} has no settings`);
  return config;
}

function settings(): Set<string> {
  const runbook = read('docs/operations.md');
  const rows = [...runbook.slice(runbook.indexOf('## Settings')).matchAll(/^\| ([^|]+) \|/gm)];
  const named = rows.flatMap(([, cell = '']) => [...cell.matchAll(/`([A-Z_<>]+)`/g)].map(([, name = '']) => name));
  const ofEach = named.flatMap((name) =>
    names.map((service) => name.replace(/<(SERVICE|OTHER)>/, service.toUpperCase().replaceAll('-', '_'))),
  );
  expect(runbook).toContain('`NODE_EXTRA_CA_CERTS`');
  return new Set([...ofEach, ...ofEach.map((name) => `${name}_FILE`), 'NODE_EXTRA_CA_CERTS']);
}

const describeWithKubectl = canBuildManifests ? describe : describe.skip;

describeWithKubectl('the pods of deploy/kubernetes', () => {
  let built: BuiltOverlays;
  const objectsOf = (overlay: Overlay): KubernetesObject[] => built.objectsOf(overlay);
  beforeAll(() => {
    built = new BuiltOverlays();
  });
  afterAll(() => built.remove());

  /** Adds secrets from the small overlay, because an operator provides the secrets of the production overlay. */
  function withSecrets(overlay: Overlay): KubernetesObject[] {
    if (overlay === 'small') return objectsOf(overlay);
    const made = objectsOf('small')
      .filter(({ kind, metadata }) => kind === 'Secret' || withoutHash(metadata.name) === 'authorities')
      .map((object) => ({ ...object, metadata: { ...object.metadata, name: withoutHash(object.metadata.name) } }));
    return [...objectsOf(overlay), ...made];
  }

  function environmentsOf(overlay: Overlay): [string, Record<string, string>][] {
    const objects = withSecrets(overlay);
    return podsOf(objects)
      .filter(([name]) => names.includes(name))
      .map(([name, pod]) => {
        const files = join(built.folder.path, 'pods', overlay, name);
        mountFiles(objects, pod, 'service', files);
        return [name, environmentOf(objects, pod, 'service', files)];
      });
  }

  describe.each(['small', 'production'] as const)('of the overlay %s', (overlay) => {
    it('mount the secrets of the service and the shared secrets as files', () => {
      for (const [name, pod] of podsOf(objectsOf(overlay)).filter(([service]) => names.includes(service))) {
        const references = referencesOf(pod).map(withoutHash);
        const shared = ['authorities', 'settings', 'shared-state', 'tls-configuration'];
        expect(references.toSorted()).toEqual([...shared, name, `${name}-tls`].toSorted());
        const valueOf = pod.containers[0]?.env?.filter(({ name: variable }) => /SECRET|KEYS|STATE_URL/.test(variable));
        expect(valueOf?.filter(({ name: variable }) => !variable.endsWith('_FILE'))).toEqual([]);
      }
    });

    it('set no environment variable that is unknown to the services', () => {
      const known = settings();
      for (const [, environment] of environmentsOf(overlay)) {
        expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
        expect(environment).toMatchObject({ NODE_ENV: 'production', HOST: '127.0.0.1' });
        expect(environment).not.toHaveProperty('DEMO_MODE');
        expect(environment).not.toHaveProperty('KEYCLOAK_ALLOW_INSECURE_REQUESTS');
      }
    });

    it('give each service valid settings for production', async () => {
      for (const [name, environment] of environmentsOf(overlay)) {
        const config = await configOf(name);
        const { keycloak, urls, demoMode, signals } = config.from(environment);
        expect(demoMode).toBe(false);
        expect(keycloak).toMatchObject({ clientId: name, allowInsecureRequests: false });
        expect(keycloak.revocationChannel).toBeDefined();
        expect(keycloak.introspectionTtlWithEventsSeconds).toBe(300);
        expect([name, signals === undefined]).toEqual([name, name !== POLLER]);
        const { calls = [] } = SERVICES.find((service) => service.name === name) ?? {};
        expect(urls).toEqual(Object.fromEntries(calls.map((called) => [called, `https://${called}`])));
        const { KEYCLOAK_BASE_URL: url = '', ...others } = environment;
        expect(() => config.from({ ...others, KEYCLOAK_BASE_URL: url.replace('https', 'http') })).toThrow(
          'must be https:',
        );
      }
    });

    it('have enough time for the shutdown of the service', () => {
      for (const [name, environment] of environmentsOf(overlay)) {
        const [, pod] = podsOf(objectsOf(overlay)).find(([service]) => service === name) ?? [];
        const needed = Number(environment['SHUTDOWN_DELAY_SECONDS']) + CONNECTION_LIMITS.drainMs / 1000;
        // The shutdown hooks of Nest and the sidecar need additional time.
        expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(needed + 10);
      }
    });
  });

  it('restart only if a secret of the pod changes', () => {
    const referred = (objects: KubernetesObject[]) =>
      new Map(podsOf(objects).map(([name, pod]) => [name, referencesOf(pod)]));
    const before = referred(objectsOf('small'));
    built.folder.replaceSecret('service-b.client-secret', 'another-one-4711');
    const after = referred(built.folder.build('small'));
    const changed = [...after].filter(([name, references]) => String(references) !== String(before.get(name)));
    expect(changed.map(([name]) => name)).toEqual(['service-b']);
  });

  it('have no secrets in the committed manifests', () => {
    expect(ofKind(objectsOf('production'), 'Secret')).toEqual([]);
    expect(read('.gitignore').split('\n')).toContain('deploy/kubernetes/overlays/*/secrets/');
    const files = readdirSync(join(root, 'deploy/kubernetes'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ya?ml|cfg|conf|env|sh)$/.test(path) && !path.includes('/secrets/'))
      .map((path) => [path, read(join('deploy/kubernetes', path))] as const);
    expect(files.length).toBeGreaterThan(20);
    // Matches private keys, Secrets with content, and strings that could encode 32 random bytes.
    const leaking = files.filter(([, text]) =>
      /PRIVATE KEY|^(data|stringData):|(?<!digest: sha256:)\b(?=[A-Za-z+]*\d)[A-Za-z\d+]{32,}/m.test(text),
    );
    expect(leaking.map(([path]) => path)).toEqual([]);
  });

  it('need only secrets that docs/kubernetes.md names', () => {
    const guide = read('docs/kubernetes.md');
    const made = new Set(ofKind(objectsOf('production'), 'ConfigMap').map(({ metadata }) => metadata.name));
    const missing = podsOf(objectsOf('production')).flatMap(([, pod]) =>
      referencesOf(pod).filter((name) => !made.has(name)),
    );
    const secrets = withSecrets('production');
    // Each service has a secret and a certificate. All services share one secret and the certificate authorities.
    expect(new Set(missing).size).toBe(2 * names.length + 2);
    for (const name of new Set(missing)) {
      expect(guide).toContain(`\`${names.reduce((text, service) => text.replace(service, '<service>'), name)}\``);
      for (const file of Object.keys(filesOf(secrets, name))) expect(guide).toContain(`\`${file}\``);
    }
  });
});
