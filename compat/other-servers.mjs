import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeFolder, tool } from './tools.mjs';

/** oidc-provider requires Node.js 22 or newer. */
const NODE_OF_SERVER = '22';
const START_MS = 30_000;

export const PROFILES = /** @type {const} */ ({ rfc9068: 'jwt', rfc7662: 'opaque' });

/**
 * @template T
 * @param {'jwt' | 'opaque'} format
 * @param {AbortSignal} signal
 * @param {(issuer: string, version: string) => Promise<T>} ask
 */
export async function withOidcProvider(format, signal, ask) {
  const folder = await tool('oidc-provider', '9', signal);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const node = join(await nodeFolder(NODE_OF_SERVER, signal), 'node');
  const script = join(import.meta.dirname, 'oidc-provider.mjs');
  const server = spawn(node, [script, folder, format], { signal, stdio: ['ignore', 'pipe', 'pipe'] });
  server.on('error', () => undefined);
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  try {
    const issuer = await new Promise((found, reject) => {
      const timer = setTimeout(() => reject(new Error(`oidc-provider does not start: ${said}`)), START_MS);
      createInterface(server.stdout).on('line', (line) => {
        if (!line.startsWith('issuer ')) return;
        clearTimeout(timer);
        found(line.slice('issuer '.length));
      });
      server.once('close', () => reject(new Error(`oidc-provider has ended: ${said}`)));
    });
    return await ask(String(issuer), version);
  } finally {
    server.kill();
  }
}
