import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IConfigMap, IPodSpec, ISecret } from 'kubernetes-models/v1';
import { parseAllDocuments, stringify } from 'yaml';
import { installed } from '../../scripts/common/installed.mjs';

export const kubectlPath = installed('kubectl');

const openssl = installed('openssl');

export const canBuildManifests = kubectlPath !== undefined && openssl !== undefined;

export type Overlay = 'small' | 'production';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

type Workload = IDeployment | IStatefulSet;

export class ManifestFolder {
  readonly #deploy = mkdtempSync(join(tmpdir(), 'deploy-'));
  readonly path = join(this.#deploy, 'kubernetes');

  constructor() {
    const source = fileURLToPath(new URL('../../deploy', import.meta.url));
    // Does not copy secrets that a developer may have made in the working copy.
    cpSync(source, this.#deploy, { recursive: true, filter: (path) => !path.endsWith('/secrets') });
    execFileSync(join(this.path, 'overlays/small/make-secrets.sh'), { stdio: 'pipe' });
  }

  buildWith(overlay: Overlay, ...components: readonly string[]): KubernetesObject[] {
    const path = join(this.path, 'overlays', 'with-components');
    mkdirSync(path, { recursive: true });
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [`../${overlay}`],
      components: components.map((name) => `../../components/${name}`),
    };
    writeFileSync(join(path, 'kustomization.yaml'), stringify(kustomization));
    return this.build('with-components');
  }

  build(overlay: Overlay | 'with-components'): KubernetesObject[] {
    const text = execFileSync(kubectlPath ?? 'kubectl', ['kustomize', join(this.path, 'overlays', overlay)], {
      encoding: 'utf8',
    });
    const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
    // The schema does not accept the line breaks that kubectl adds to Base64 values.
    for (const secret of ofKind<ISecret & KubernetesObject>(objects, 'Secret')) {
      for (const [name, data] of Object.entries(secret.data ?? {}))
        secret.data = { ...secret.data, [name]: data.replaceAll('\n', '') };
    }
    return objects;
  }

  replaceSecret(name: string, text: string): void {
    writeFileSync(join(this.path, 'overlays/small/secrets', name), text);
  }

  newCertificate(name: string): { readonly certificate: string; readonly key: string } {
    const file = (ending: string): string => join(this.path, 'overlays/small/secrets', `${name}.${ending}`);
    rmSync(file('crt'));
    execFileSync(join(this.path, 'overlays/small/make-secrets.sh'), { stdio: 'pipe' });
    return { certificate: readFileSync(file('crt'), 'utf8'), key: readFileSync(file('key'), 'utf8') };
  }

  newProofKey(): { readonly privateKey: string; readonly publicKeys: string } {
    const file = (name: string): string => join(this.path, 'overlays/small/secrets', name);
    rmSync(file('signal-poller.proof-private-key'));
    for (let run = 0; run < 2; run += 1) {
      execFileSync(join(this.path, 'overlays/small/make-secrets.sh'), { stdio: 'pipe' });
    }
    return {
      privateKey: readFileSync(file('signal-poller.proof-private-key'), 'utf8'),
      publicKeys: readFileSync(file('shared-state.proof-public-keys'), 'utf8'),
    };
  }

  remove(): void {
    rmSync(this.#deploy, { recursive: true, force: true });
  }
}

export class BuiltOverlays {
  readonly folder = new ManifestFolder();
  readonly #objects = { small: this.folder.build('small'), production: this.folder.build('production') };

  objectsOf(overlay: Overlay): KubernetesObject[] {
    return structuredClone(this.#objects[overlay]);
  }

  remove(): void {
    this.folder.remove();
  }
}

export const ofKind = <T extends KubernetesObject>(objects: readonly KubernetesObject[], kind: T['kind']): T[] =>
  objects.filter((object): object is T => object.kind === kind);

export const workloadsOf = (objects: readonly KubernetesObject[]): (Workload & KubernetesObject)[] => [
  ...ofKind<IDeployment & KubernetesObject>(objects, 'Deployment'),
  ...ofKind<IStatefulSet & KubernetesObject>(objects, 'StatefulSet'),
];

export function podOf({ metadata, spec }: Workload): IPodSpec & { labels: Readonly<Record<string, string>> } {
  const { spec: pod, metadata: ofPod } = spec?.template ?? {};
  if (pod === undefined) throw new Error(`${metadata?.name} has no pod`);
  return { ...pod, labels: ofPod?.labels ?? {} };
}

export const podsOf = (objects: readonly KubernetesObject[]) =>
  workloadsOf(objects).map((workload) => [workload.metadata.name, podOf(workload)] as const);

export const containersOf = ({ containers, initContainers = [] }: IPodSpec): IPodSpec['containers'] => [
  ...initContainers,
  ...containers,
];

export function referencesOf(pod: IPodSpec): string[] {
  const mounted = (pod.volumes ?? []).flatMap(({ secret, configMap }) => [secret?.secretName, configMap?.name]);
  const read = containersOf(pod).flatMap(({ env = [] }) =>
    env.flatMap(({ valueFrom }) => [valueFrom?.secretKeyRef?.name, valueFrom?.configMapKeyRef?.name]),
  );
  return [...new Set([...mounted, ...read].filter((name) => name !== undefined))];
}

export function filesOf(objects: readonly KubernetesObject[], name: string): Readonly<Record<string, string>> {
  const found = objects.find(
    (object): object is (ISecret | IConfigMap) & KubernetesObject =>
      ['Secret', 'ConfigMap'].includes(object.kind) && object.metadata.name === name,
  );
  if (found === undefined) throw new Error(`The manifests have no Secret or ConfigMap ${name}`);
  const { data = {} } = found;
  if (found.kind === 'ConfigMap') return data;
  return Object.fromEntries(Object.entries(data).map(([file, text]) => [file, atob(text)]));
}
