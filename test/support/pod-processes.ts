/** Pod processes: the containers of a manifest as processes of this machine, with the files, commands and settings that the manifest gives them. */
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

/** What differs here: a text of a file or of a command, and what stands in its place. */
type Changes = readonly (readonly [from: string, to: string])[];

/** Where a pod has a file system of its own, and all of the network, these share those of the machine. */
export interface OnThisMachine {
  /** Its `/` is this folder. */
  readonly folder: string;
  readonly port: number;
  readonly executable: string;
  readonly changes: Changes;
}

/** Runs the command of a container, once it has changed the file that the command ends with. Resolves when something listens on `port`. */
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

/** Without the name of the program; its files are in the folder. */
export const argumentsOf = (command: readonly string[] = [], folder: string): string[] =>
  command.slice(1).map((word) => (word.startsWith('/') ? join(folder, word) : word));

/** Throws where a text is not there: then the file is another one than was thought. */
function changed(text: string, changes: Changes): string {
  return changes.reduce((current, [from, to]) => {
    if (!current.includes(from)) throw new Error(`There is no "${from}" in: ${text}`);
    return current.replaceAll(from, to);
  }, text);
}
