import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IPodSpec } from 'kubernetes-models/v1';
import { containersOf, filesOf, type KubernetesObject } from './manifests.js';

export function mountFiles(
  objects: readonly KubernetesObject[],
  pod: IPodSpec,
  container: string,
  folder: string,
): void {
  for (const { name, mountPath } of containerOf(pod, container).volumeMounts ?? []) {
    const volume = pod.volumes?.find((one) => one.name === name);
    const source = volume?.secret?.secretName ?? volume?.configMap?.name;
    if (source === undefined && volume?.emptyDir === undefined) continue;
    mkdirSync(join(folder, mountPath), { recursive: true });
    if (source === undefined) continue;
    for (const [file, text] of Object.entries(filesOf(objects, source))) {
      writeFileSync(join(folder, mountPath, file), text, { mode: 0o600 });
    }
  }
}

export function environmentOf(
  objects: readonly KubernetesObject[],
  pod: IPodSpec,
  container: string,
  folder: string,
): Record<string, string> {
  const { env = [] } = containerOf(pod, container);
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      const { name: source, key = '' } = valueFrom?.configMapKeyRef ?? {};
      const text = source === undefined ? value : filesOf(objects, source)[key];
      if (text === undefined) throw new Error(`${name} has no value`);
      return [name, text.startsWith('/') ? join(folder, text) : text];
    }),
  );
}

export function containerOf(pod: IPodSpec, name: string): IPodSpec['containers'][number] {
  const found = containersOf(pod).find((one) => one.name === name);
  if (found === undefined) throw new Error(`The pod has no container ${name}`);
  return found;
}
