import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from 'keycloak-test-servers';
import { freeze } from '../../libs/keycloak/spec-support/frozen-process.js';
import { installed } from '../../scripts/common/installed.mjs';
import { untilListening } from './until-listening.js';

export const tinyproxyPath = installed('tinyproxy');

const PASSWORD = 'pass-4711';

export class Tinyproxy {
  #printed = '';

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly port: number,
  ) {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
    }
  }

  /** Starts Tinyproxy. With `ConnectPort 443` in `settings`, Tinyproxy refuses tunnels to other ports. */
  static async start(executable: string, ...settings: readonly string[]): Promise<Tinyproxy> {
    const folder = mkdtempSync(join(tmpdir(), 'tinyproxy-'));
    const file = join(folder, 'tinyproxy.conf');
    const port = await freePort();
    const own = [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Allow 127.0.0.1',
      'LogLevel Connect',
      `BasicAuth alice ${PASSWORD}`,
    ];
    writeFileSync(file, [...own, ...settings, ''].join('\n'));
    const child = spawn(executable, ['-d', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    await untilListening(port);
    return new Tinyproxy(child, folder, port);
  }

  variables(credentials = `alice:${PASSWORD}@`): Readonly<Record<string, string>> {
    const url = `http://${credentials}127.0.0.1:${this.port}`;
    return { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, HTTPS_PROXY: url };
  }

  get requests(): readonly string[] {
    return [...this.#printed.matchAll(/Request \(file descriptor \d+\): (.*) HTTP\/1\.1/g)].map(
      ([, line = '']) => line,
    );
  }

  freeze(): void {
    freeze(this.process);
  }

  thaw(): void {
    this.process.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await once(this.process, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
