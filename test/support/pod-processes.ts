import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IPodSpec } from 'kubernetes-models/v1';
import type { KubernetesObject } from './manifests.js';
import { containerOf, mountFiles } from './pod-files.js';
import { untilListening } from './until-listening.js';

export interface PodProcess {
  readonly port: number;
  readonly printed: () => string;
  stop(): Promise<void>;
}

type Changes = readonly (readonly [from: string, to: string])[];

export interface OnThisMachine {
  /** The folder that takes the place of `/` in the pod. */
  readonly folder: string;
  readonly port: number;
  readonly executable: string;
  readonly changes: Changes;
}

export async function startContainer(
  objects: readonly KubernetesObject[],
  pod: IPodSpec,
  name: string,
  { folder, port, executable, changes }: OnThisMachine,
): Promise<PodProcess> {
  mountFiles(objects, pod, name, folder);
  const args = argumentsOf(containerOf(pod, name).command, folder);
  const configuration = args.at(-1) ?? '';
  writeFileSync(configuration, changed(readFileSync(configuration, 'utf8'), changes));
  for (const { name: claim, mountPath } of containerOf(pod, name).volumeMounts ?? []) {
    if (claim === 'data') mkdirSync(join(folder, mountPath), { recursive: true });
  }
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  }
  const printed = (): string => chunks.join('');
  await untilListening(port, { hasEnded: () => child.exitCode !== null, printed });
  return {
    port,
    printed,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

export const argumentsOf = (command: readonly string[] = [], folder: string): string[] =>
  command.slice(1).map((word) => (word.startsWith('/') ? join(folder, word) : word));

/** Throws an error if a text is missing, because the file has then changed since the spec was written. */
function changed(text: string, changes: Changes): string {
  return changes.reduce((current, [from, to]) => {
    if (!current.includes(from)) throw new Error(`"${from}" is missing in: ${text}`);
    return current.replaceAll(from, to);
  }, text);
}
