import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { runRealm } from '../src/cli/realm/run-realm.js';
import { SECRET } from './planned-modules.js';

const MODULES = fileURLToPath(new URL('planned-modules.ts', import.meta.url));

export const modules = (...names: readonly string[]): string[] =>
  names.flatMap((name) => ['--module', `${MODULES}#${name}`]);

export interface Ran {
  readonly exitCode: number;
  readonly printed: string;
  readonly failed: string;
}

export async function realmCommand(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  const ran = { printed: '', failed: '' };
  const exitCode = await runRealm(args, {
    environment,
    print: (text) => void (ran.printed += text),
    printError: (text) => void (ran.failed += text),
    hasColors: false,
  });
  const output = ran.printed + ran.failed;
  for (const secret of [SECRET, ...Object.values(environment)]) expect(output).not.toContain(secret);
  expect(output.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  return { exitCode, ...ran };
}

export class SpecFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'realm-'));

  file(name: string, content: unknown): string {
    const path = join(this.path, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

export const POLICY = {
  permissions: {
    'orders.read': { everyone: true, clients: ['web'] },
    'stock.read': { roles: ['clerk'], description: 'Read the stock' },
    'refunds.read': { roles: [{ client: 'refunds', role: 'agent' }] },
    'refunds.write': { roles: ['clerk'] },
  },
};
