import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { INamespace, IService, IServiceAccount } from 'kubernetes-models/v1';
import { CONNECTION_LIMITS } from '../../libs/service-defaults/src/connection-limits.js';
import { schemaFaults } from '../support/api-schemas.js';
import {
  BuiltOverlays,
  canBuildManifests,
  containersOf,
  ManifestFolder,
  ofKind,
  podOf,
  podsOf,
  workloadsOf,
  type KubernetesObject,
  type Overlay,
} from '../support/manifests.js';
import { POLLER, SERVICES } from '../support/services.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

type Kind<T> = T & KubernetesObject;

const services = SERVICES.map(({ name }) => name).toSorted();
const names = [...services, POLLER];

const describeWithKubectl = canBuildManifests ? describe : describe.skip;

describeWithKubectl('deploy/kubernetes', () => {
  let built: BuiltOverlays;
  const objectsOf = (overlay: Overlay): KubernetesObject[] => built.objectsOf(overlay);
  beforeAll(() => {
    built = new BuiltOverlays();
  });
  afterAll(() => built.remove());

  describe.each(['small', 'production'] as const)('the overlay %s', (overlay) => {
    it('has the services and the poller in one namespace that accepts only hardened pods', () => {
      const objects = objectsOf(overlay);
      expect(workloadsOf(objects).map(({ metadata }) => metadata.name)).toEqual(
        overlay === 'small' ? [...names, 'valkey'] : names,
      );
      const [namespace, ...others] = ofKind<Kind<INamespace>>(objects, 'Namespace');
      expect(others).toEqual([]);
      expect(namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
      const elsewhere = objects.filter(({ metadata }) => metadata.namespace !== namespace?.metadata.name);
      expect(elsewhere.map(({ kind }) => kind)).toEqual(['Namespace']);
    });

    it('matches the schema of the Kubernetes API', () => {
      expect(schemaFaults(objectsOf(overlay))).toEqual([]);
    });

    it('hardens each container', () => {
      const pods = podsOf(objectsOf(overlay));
      for (const [name, pod] of pods) {
        expect([name, pod.automountServiceAccountToken, pod.enableServiceLinks]).toEqual([name, false, false]);
        expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
        expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
        for (const { securityContext, resources, startupProbe } of containersOf(pod)) {
          expect({ name, ...securityContext }).toMatchObject({
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          });
          expect([securityContext?.privileged, securityContext?.capabilities?.add]).toEqual([undefined, undefined]);
          expect(securityContext?.runAsUser ?? pod.securityContext?.runAsUser).toBeGreaterThan(0);
          expect(Object.keys(resources?.requests ?? {})).toEqual(['cpu', 'memory']);
          expect(resources?.limits).toHaveProperty('memory');
          expect(startupProbe).toBeDefined();
        }
        for (const { livenessProbe, readinessProbe } of pod.containers) {
          expect([name, livenessProbe, readinessProbe]).not.toContain(undefined);
        }
        const writable = pod.volumes?.filter((volume) => 'hostPath' in volume || 'emptyDir' in volume) ?? [];
        const admin = { name: 'tls-admin', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } };
        expect(writable).toEqual(containersOf(pod).some((container) => container.name === 'tls') ? [admin] : []);
      }
      expect(pods.length).toBeGreaterThan(2);
    });

    it('gives each pod a separate service account, and mounts no token of the account', () => {
      const objects = objectsOf(overlay);
      const accounts = ofKind<Kind<IServiceAccount>>(objects, 'ServiceAccount');
      expect(accounts.map(({ automountServiceAccountToken: mounts }) => mounts)).toEqual(accounts.map(() => false));
      expect(podsOf(objects).map(([, pod]) => pod.serviceAccountName)).toEqual(
        accounts.map(({ metadata }) => metadata.name),
      );
    });

    it('probes the health routes of the services at the TLS port', () => {
      const probed = podsOf(objectsOf(overlay)).filter(([name]) => names.includes(name));
      for (const [, { containers }] of probed) {
        const { startupProbe, livenessProbe, readinessProbe } = containers[0] ?? {};
        const at = (path: string) => ({ httpGet: { scheme: 'HTTPS', port: 8443, path } });
        expect(startupProbe).toMatchObject(at('/health/live'));
        expect(livenessProbe).toMatchObject(at('/health/live'));
        expect(readinessProbe).toMatchObject(at('/health/ready'));
      }
    });

    it('has only selectors that match pods, and Services with the ports of these pods', () => {
      const objects = objectsOf(overlay);
      const selected = (labels: Readonly<Record<string, string>> | undefined) =>
        podsOf(objects)
          .filter(([, pod]) => Object.entries(labels ?? {}).every(([name, value]) => pod.labels[name] === value))
          .map(([name]) => name);
      for (const { metadata, spec } of workloadsOf(objects)) {
        expect(selected(spec?.selector.matchLabels)).toEqual([metadata.name]);
      }
      const called = ofKind<Kind<IService>>(objects, 'Service');
      for (const { metadata, spec } of called) {
        expect(selected(spec?.selector)).toEqual([metadata.name]);
        const listening = podsOf(objects)
          .filter(([name]) => name === metadata.name)
          .flatMap(([, pod]) => containersOf(pod).flatMap(({ ports = [] }) => ports))
          // The scraper reads the metrics from the pod's address, so the Service has no metrics port.
          .filter(({ name }) => name !== 'metrics');
        expect(spec?.ports?.map(({ targetPort }) => targetPort)).toEqual(
          listening.map(({ containerPort }) => containerPort),
        );
      }
      const pods = podsOf(objects).map(([name]) => name);
      expect(called.map(({ metadata }) => metadata.name)).toEqual(pods.filter((name) => name !== POLLER));
      for (const { metadata, spec } of ofKind<Kind<IPodDisruptionBudget>>(objects, 'PodDisruptionBudget')) {
        expect([selected(spec?.selector?.matchLabels), spec?.maxUnavailable]).toEqual([[metadata.name], 1]);
      }
      for (const [name, pod] of podsOf(objects)) {
        for (const { labelSelector, matchLabelKeys } of pod.topologySpreadConstraints ?? []) {
          expect(selected(labelSelector?.matchLabels)).toContain(name);
          expect(matchLabelKeys).toEqual(['app.kubernetes.io/name', 'pod-template-hash']);
        }
      }
    });

    it('has the expected number of replicas and a disruption budget for each service and the poller', () => {
      const objects = objectsOf(overlay);
      const scaled = ofKind<Kind<IHorizontalPodAutoscaler>>(objects, 'HorizontalPodAutoscaler');
      const replicas = workloadsOf(objects)
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ metadata: { name }, spec }) => {
          const by = scaled.filter(({ spec: of }) => of?.scaleTargetRef.name === name);
          // A replica count and an autoscaler would override each other.
          expect([name, by.length]).toEqual([name, spec?.replicas === undefined ? 1 : 0]);
          return spec?.replicas ?? by[0]?.spec?.minReplicas ?? 0;
        });
      const [ofEach, ofPoller] = overlay === 'small' ? [2, 1] : [3, 2];
      expect(replicas).toEqual([...services.map(() => ofEach), ofPoller]);
      const budgets = ofKind<Kind<IPodDisruptionBudget>>(objects, 'PodDisruptionBudget');
      expect(budgets.map(({ metadata }) => metadata.name)).toEqual(names);
    });
  });

  it('uses service account tokens instead of client secrets if the component client-assertions is added', () => {
    const objects = built.folder.buildWith('production', 'client-assertions');
    expect(schemaFaults(objects)).toEqual([]);
    const issuer = /^KEYCLOAK_ISSUER=(.*)$/m.exec(read('deploy/kubernetes/overlays/production/settings.env'))?.[1];
    for (const [name, pod] of podsOf(objects)) {
      const { env = [], volumeMounts = [] } = pod.containers[0] ?? {};
      const prefix = name.toUpperCase().replaceAll('-', '_');
      expect(env.filter((variable) => variable.name.startsWith(`${prefix}_CLIENT_`))).toEqual([
        { name: `${prefix}_CLIENT_ASSERTION_FILE`, value: '/etc/service/client-assertion/token' },
      ]);
      expect(volumeMounts).toContainEqual({
        name: 'client-assertion',
        mountPath: '/etc/service/client-assertion',
        readOnly: true,
      });
      const { projected } = pod.volumes?.find((volume) => volume.name === 'client-assertion') ?? {};
      expect(projected?.sources).toEqual([
        { serviceAccountToken: { path: 'token', audience: issuer, expirationSeconds: 600 } },
      ]);
      expect(pod.automountServiceAccountToken).toBe(false);
    }
    expect(podsOf(objects).map(([name]) => name)).toEqual(names);
  });

  it('names images by digest in production', () => {
    const folder = new ManifestFolder();
    const images = (): string[] => [
      ...new Set(
        podsOf(folder.build('production')).flatMap(([, pod]) => containersOf(pod).map(({ image = '' }) => image)),
      ),
    ];
    const bin = mkdtempSync(join(tmpdir(), 'docker-'));
    const answer = '#!/bin/sh\necho "sha256:$(printf %s "$4" | openssl dgst -sha256 -r | cut -c1-64)"\n';
    const pin = (script: string, ...tags: readonly string[]) => {
      writeFileSync(join(bin, 'docker'), script, { mode: 0o700 });
      const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
      const path = join(folder.path, 'overlays/production/pin-images.sh');
      return spawnSync(path, tags, { env, encoding: 'utf8' });
    };
    try {
      const before = images();
      for (const image of before) expect(image).toMatch(/^[\w./-]+@sha256:0{64}$/);
      expect(pin(answer, '1.2.3').status).toBe(0);
      const digestOf = (reference: string) => createHash('sha256').update(reference).digest('hex');
      expect(images().toSorted()).toEqual(
        before
          .map((image) => {
            const [name = ''] = image.split('@');
            return `${name}@sha256:${digestOf(`${name}:${name.endsWith('/haproxy') ? '3.0-alpine' : '1.2.3'}`)}`;
          })
          .toSorted(),
      );
      const pinned = images();
      expect(pin('#!/bin/sh\necho not-a-digest\n', '1.2.4').status).toBe(1);
      expect(pin('#!/bin/sh\nexit 3\n', '1.2.4').status).not.toBe(0);
      expect(images()).toEqual(pinned);
    } finally {
      folder.remove();
      rmSync(bin, { recursive: true });
    }
  });

  it('is checked by a schema that finds an unknown field, a wrong value and an unknown kind', () => {
    const [pod, service] = [objectsOf('production'), objectsOf('production')];
    Object.assign(podsOf(pod)[0]?.[1].containers[0] ?? {}, { securityContexts: {} });
    expect(schemaFaults(pod).join()).toMatch(/^Deployment service-a: .*'"securityContexts"' does not exist/);
    Object.assign(ofKind<Kind<IService>>(service, 'Service')[0]?.spec ?? {}, { sessionAffinity: 'Sometimes' });
    expect(schemaFaults(service).join()).toMatch(/Service service-a: .*sessionAffinity/);
    const kind = { apiVersion: 'apps/v1', kind: 'Deploymnt', metadata: { name: 'x' } };
    expect(() => schemaFaults([kind])).toThrow(/Deploymnt/);
  });

  it('serves metrics over TLS at the port in the annotations and the scrape configuration (OP-03)', () => {
    const configuration = read('deploy/kubernetes/base/haproxy.cfg');
    for (const overlay of ['small', 'production'] as const) {
      for (const workload of workloadsOf(objectsOf(overlay)).filter(({ metadata }) => names.includes(metadata.name))) {
        const { name } = workload.metadata;
        const pod = podOf(workload);
        const port = containersOf(pod)
          .flatMap(({ ports = [] }) => ports)
          .find((one) => one.name === 'metrics')?.containerPort;
        const management = pod.containers[0]?.env?.find((one) => one.name === 'MANAGEMENT_PORT')?.value;
        expect(configuration).toContain(`bind :${port} ssl crt /etc/certificate/tls.crt`);
        expect(configuration).toContain(`server management 127.0.0.1:${management}\n`);
        expect([name, workload.spec?.template.metadata?.annotations]).toEqual([
          name,
          expect.objectContaining({
            'prometheus.io/scrape': 'true',
            'prometheus.io/scheme': 'https',
            'prometheus.io/port': String(port),
          }),
        ]);
        expect(read('deploy/observability/kubernetes.yml')).toContain(`regex: ${name};metrics\n`);
      }
    }
  });

  it('sets no connection limit of the sidecar below the limit of the service', () => {
    const [limits, configuration] = [CONNECTION_LIMITS, read('deploy/kubernetes/base/haproxy.cfg')];
    const number = (pattern: RegExp) => Number(pattern.exec(configuration)?.[1]);
    expect(number(/^ {2}maxconn (\d+)$/m)).toBe(limits.maxConnections);
    for (const side of ['client', 'server']) {
      expect(number(new RegExp(`^ {2}timeout ${side} (\\d+)s$`, 'm')) * 1000).toBeGreaterThan(
        limits.keepAliveTimeoutMs,
      );
    }
    expect(configuration).toMatch(/^ {2}mode tcp$/m);
    const { env = [] } = podsOf(objectsOf('production'))[0]?.[1].containers[0] ?? {};
    const port = env.find(({ name }) => name === 'PORT')?.value;
    expect(configuration).toContain(`server service 127.0.0.1:${port}\n`);
  });
});
