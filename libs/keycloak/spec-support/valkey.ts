import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { freePort } from 'keycloak-test-servers';
import { installed } from '../../../scripts/common/installed.mjs';
import { processUsers, usersFile } from '../../../scripts/start/valkey-users.mjs';
import { freeze } from './frozen-process.js';

export const valkeyPath = installed('valkey-server') ?? installed('redis-server');
export const openssl = installed('openssl');

const passwordOf = (user: string): string => `password-of-${user}`;

export class Valkey {
  #server: ChildProcess | undefined;

  private constructor(
    private readonly executable: string,
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(executable: string): Promise<Valkey> {
    const valkey = new Valkey(executable, await freePort(), mkdtempSync(join(tmpdir(), 'valkey-')));
    await valkey.start();
    return valkey;
  }

  get url(): string {
    return `valkey://127.0.0.1:${this.port}`;
  }

  urlOf(user: string): string {
    return `valkey://${user}:${passwordOf(user)}@127.0.0.1:${this.port}`;
  }

  get urls(): Readonly<Record<string, string>> {
    return Object.fromEntries(processUsers().map(({ name }) => [name, this.urlOf(name)]));
  }

  async command(args: readonly string[], database = 0): Promise<unknown> {
    const url = `${this.url.replace('valkey', 'redis')}/${database}`;
    const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand(args);
    } finally {
      client.destroy();
    }
  }

  async start(...settings: readonly string[]): Promise<void> {
    const users = join(this.folder, 'users.acl');
    writeFileSync(users, usersFile(passwordOf).replace(/^user default .*$/m, 'user default on nopass ~* &* +@all'));
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--save', ''];
    const args = [...own, '--aclfile', users, ...settings];
    const server = spawn(this.executable, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#server = server;
    let output = '';
    for await (const text of server.stdout.setEncoding('utf8')) {
      output += String(text);
      if (output.includes('Ready to accept connections')) break;
    }
    if (server.exitCode !== null) throw new Error(`Valkey ended: ${output}`);
    server.stdout.resume();
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  freeze(): void {
    if (this.#server !== undefined) freeze(this.#server);
  }

  thaw(): void {
    this.#server?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
