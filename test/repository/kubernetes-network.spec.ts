import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import description from '../../services.json' with { type: 'json' };
import {
  BuiltOverlays,
  canBuildManifests,
  ofKind,
  podOf,
  workloadsOf,
  type KubernetesObject,
  type Overlay,
} from '../support/manifests.js';
import { isAllowed, type Party, type Port } from '../support/network-policies.js';

interface Realm {
  readonly clientScopes: readonly {
    readonly name: string;
    readonly protocolMappers?: readonly { readonly config: Readonly<Record<string, string>> }[];
  }[];
  readonly clients: readonly {
    readonly clientId: string;
    readonly publicClient?: boolean;
    readonly optionalClientScopes: readonly string[];
  }[];
}

const realm = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../keycloak/microservices-realm.json', import.meta.url)), 'utf8'),
) as Realm;

type Policy = INetworkPolicy & KubernetesObject;

const realmEdges = [
  ...new Set(
    realm.clientScopes
      // An operator works outside the cluster, and reads health details through a port forward.
      .filter(({ name }) => !name.startsWith('attacks.') && !name.endsWith('.health'))
      .flatMap(({ name, protocolMappers = [] }) =>
        protocolMappers
          .flatMap(({ config }) => config['included.client.audience'] ?? [])
          .flatMap((audience) =>
            realm.clients
              // Public clients and the users of Service A send tokens from outside the cluster.
              .filter(({ publicClient, optionalClientScopes: may }) => publicClient !== true && may.includes(name))
              .filter(({ clientId }) => clientId !== audience)
              .map(({ clientId }) => `${clientId} → ${audience}`),
          ),
      ),
  ),
].toSorted();

const NAMESPACE = 'keycloak-s2s';
const TLS = 8443;
const METRICS = 8444;
const PORTS: readonly Port[] = [
  ...[TLS, METRICS, 3000, 9464, 443, 80, 6379, 53].map((port) => ({ protocol: 'TCP', port }) as const),
  { protocol: 'UDP', port: 53 },
];

const OTHERS: readonly Party[] = [
  {
    name: 'warehouse',
    namespace: NAMESPACE,
    labels: { 'app.kubernetes.io/name': 'warehouse', 'app.kubernetes.io/component': 'service' },
  },
  { name: 'a pod of the namespace', namespace: NAMESPACE, labels: { 'app.kubernetes.io/name': 'other' } },
  { name: 'a pod without labels', namespace: NAMESPACE },
  {
    name: 'service-a of another namespace',
    namespace: 'other',
    labels: { 'app.kubernetes.io/name': 'service-a', 'app.kubernetes.io/component': 'service' },
  },
  { name: 'keycloak', namespace: 'keycloak', labels: { app: 'keycloak' } },
  { name: 'a database beside keycloak', namespace: 'keycloak', labels: { app: 'database' } },
  { name: 'keycloak of another namespace', namespace: 'other', labels: { app: 'keycloak' } },
  { name: 'dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
  { name: 'the API server', namespace: 'kube-system', labels: { component: 'kube-apiserver' } },
  { name: 'gateway', namespace: 'gateway', labels: { app: 'gateway' } },
  { name: 'prometheus', namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'prometheus' } },
  { name: 'a pod beside prometheus', namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'other' } },
  { name: 'prometheus of another namespace', namespace: 'other', labels: { 'app.kubernetes.io/name': 'prometheus' } },
  { name: 'your keycloak', address: '203.0.113.10' },
  { name: 'your valkey', address: '203.0.113.20' },
  { name: 'an address', address: '203.0.113.11' },
  { name: 'the metadata of the cloud', address: '169.254.169.254' },
];

const describeWithKubectl = canBuildManifests ? describe : describe.skip;

describeWithKubectl('the network policies', () => {
  let built: BuiltOverlays;
  beforeAll(() => {
    built = new BuiltOverlays();
  });
  afterAll(() => built.remove());

  const policiesOf = (overlay: Overlay): Policy[] => ofKind<Policy>(built.objectsOf(overlay), 'NetworkPolicy');
  const partiesOf = (overlay: Overlay): Party[] => [
    ...workloadsOf(built.objectsOf(overlay)).map((workload) => ({
      name: workload.metadata.name,
      namespace: NAMESPACE,
      labels: podOf(workload).labels,
    })),
    ...OTHERS,
  ];

  function edges(overlay: Overlay, policies: readonly Policy[] = policiesOf(overlay)): string[] {
    const parties = partiesOf(overlay);
    return parties
      .flatMap((from) => parties.map((to) => [from, to] as const))
      .filter(([from, to]) => from !== to && [from, to].some(({ namespace }) => namespace === NAMESPACE))
      .flatMap(([from, to]) =>
        PORTS.filter((port) => isAllowed(policies, from, to, port)).map(
          ({ protocol, port }) => `${from.name} → ${to.name} ${protocol} ${port}`,
        ),
      )
      .toSorted();
  }

  const clients = [...Object.keys(description.services), description.poller.name, 'warehouse'];
  const fromEach = (to: string): string[] => clients.map((from) => `${from} → ${to}`);
  const calls = realmEdges.map((edge) => `${edge} TCP ${TLS}`);
  const scrapes = clients.map((to) => `prometheus → ${to} TCP ${METRICS}`);
  const dns = [...fromEach('dns TCP 53'), ...fromEach('dns UDP 53')];

  it('are compared with the calls in services.json, except the calls of attacks', () => {
    const called = Object.entries(description.services).flatMap(([from, { calls: to }]) =>
      to.map((one) => `${from} → ${one}`),
    );
    const attacked = Object.entries(description.services).flatMap(([from, service]) =>
      'attacks' in service ? service.attacks.map((to) => `${from} → ${to}`) : [],
    );
    expect(realmEdges).toEqual([...called, 'warehouse → service-b'].toSorted());
    expect(attacked.filter((edge) => realmEdges.includes(edge))).toEqual([]);
    expect(attacked).not.toEqual([]);
  });

  it('allow in the small overlay exactly the permitted calls, DNS, metrics, Keycloak and Valkey', () => {
    expect(edges('small')).toEqual(
      [
        ...calls,
        ...dns,
        ...scrapes,
        ...fromEach(`keycloak TCP ${TLS}`),
        ...fromEach('valkey TCP 6379'),
        `keycloak → service-a TCP ${TLS}`,
      ].toSorted(),
    );
  });

  it('allow in the production overlay exactly the permitted calls, DNS, metrics, the gateway, Keycloak and Valkey', () => {
    expect(edges('production')).toEqual(
      [
        ...calls,
        ...dns,
        ...scrapes,
        ...fromEach('your keycloak TCP 443'),
        ...fromEach('your valkey TCP 6379'),
        `gateway → service-a TCP ${TLS}`,
      ].toSorted(),
    );
  });

  describe('that contain a mistake', () => {
    /** Returns the newly allowed calls, and the newly blocked calls with a minus sign. */
    function difference(
      change: (named: (name: string) => NonNullable<Policy['spec']>, policies: Policy[]) => void,
    ): string[] {
      const policies = policiesOf('small');
      const before = edges('small', policies);
      change((name) => {
        const spec = policies.find(({ metadata }) => metadata.name === name)?.spec;
        if (spec === undefined) throw new Error(`There is no policy ${name}`);
        return spec;
      }, policies);
      const after = edges('small', policies);
      return [
        ...after.filter((edge) => !before.includes(edge)),
        ...before.filter((edge) => !after.includes(edge)).map((edge) => `- ${edge}`),
      ];
    }

    it('are reported if they allow an additional call between two services', () => {
      const podSelector = { matchLabels: { 'app.kubernetes.io/name': 'service-c' } };
      const fromA = { matchLabels: { 'app.kubernetes.io/name': 'service-a' } };
      const added = difference((named) => {
        named('service-a').egress?.[0]?.to?.push({ podSelector });
        named('service-c').ingress?.[0]?.from?.push({ podSelector: fromA });
      });
      expect(added).toEqual([`service-a → service-c TCP ${TLS}`]);
    });

    it('are reported if they allow one additional port, or all ports', () => {
      const one = difference((named) => {
        named('service-b').ingress?.[0]?.ports?.push({ protocol: 'TCP', port: 3000 });
        named('service-a').egress?.[0]?.ports?.push({ protocol: 'TCP', port: 3000 });
      });
      expect(one).toEqual(['service-a → service-b TCP 3000']);
      const any = difference((named) => delete named('keycloak').egress?.[0]?.ports);
      expect(any).toHaveLength(clients.length * (PORTS.length - 1));
    });

    it('are reported if a selector matches more pods than intended', () => {
      const everywhere = difference((named) =>
        named('service-a-from-keycloak').ingress?.[0]?.from?.push({ namespaceSelector: {} }),
      );
      expect(everywhere).toContain(`service-a of another namespace → service-a TCP ${TLS}`);
      const nobody = difference((named) => delete named('service-a-from-keycloak').ingress?.[0]?.from);
      expect(nobody).toContain(`an address → service-a TCP ${TLS}`);
    });

    it('are reported if no policy denies traffic by default', () => {
      const open = difference((_, policies) =>
        policies.splice(
          policies.findIndex(({ metadata }) => metadata.name === 'default-deny'),
          1,
        ),
      );
      expect(open).toContain('valkey → an address TCP 443');
    });

    it('are reported if they block a call of a service', () => {
      const gone = difference((named) => (named('service-c').ingress = []));
      expect(gone).toEqual([`- service-b → service-c TCP ${TLS}`]);
    });
  });
});
