/** BuiltService: a service as it was built, in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Variables } from './running-service.js';

export interface BuiltService {
  readonly process: ChildProcess;
  readonly printed: () => string;
  /** Its exit code, not before all that it printed is here. */
  readonly exited: Promise<number | null>;
}

/** In development and demo mode, unless `variables` say otherwise. */
export function spawnService(name: string, variables: Variables): BuiltService {
  const main = fileURLToPath(new URL(`../../apps/${name}/dist/main.js`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'development', DEMO_MODE: 'true', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return {
    process: child,
    printed: () => chunks.join(''),
    exited: once(child, 'close').then(([code]) => code as number | null),
  };
}

/** Ends it if it has not ended, however that went. */
export async function endService({ process: child, exited }: BuiltService): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await exited;
}

export async function untilReady(url: string, service: BuiltService): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (service.process.exitCode !== null) break;
    const ready = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (ready?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`not ready: ${service.printed()}`);
}
