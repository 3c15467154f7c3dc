import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import description from '../../services.json' with { type: 'json' };
import type { Variables } from './running-service.js';

export interface BuiltService {
  readonly process: ChildProcess;
  readonly printed: () => string;
  readonly exited: Promise<number | null>;
}

const services: Readonly<Record<string, { readonly calls: readonly string[] }>> = description.services;

const nowhere = (name: string): Variables =>
  Object.fromEntries(
    services[name]?.calls.map((other) => [`${other.toUpperCase().replaceAll('-', '_')}_URL`, 'http://127.0.0.1:9']) ??
      [],
  );

const CHECKOUT = resolve(import.meta.dirname, '../..');

export function spawnService(name: string, variables: Variables, checkout = CHECKOUT): BuiltService {
  const main = join(checkout, `apps/${name}/dist/main.js`);
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'development', DEMO_MODE: 'true', ...nowhere(name), ...variables },
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

export async function endService({ process: child, exited }: BuiltService): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await exited;
}

export async function untilReady(url: string, service: BuiltService): Promise<void> {
  for (let tries = 0; tries < 1800; tries += 1) {
    if (service.process.exitCode !== null) break;
    const ready = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (ready?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`not ready: ${service.printed()}`);
}
