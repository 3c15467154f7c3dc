/** HAProxy: a real balancer in front of services, which sends requests to those that say they are ready. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from 'keycloak-test-servers';
import { installed } from '../../scripts/installed.mjs';

/** The path of its executable; undefined where it is not installed. */
export const haproxyPath = installed('haproxy');

/** Nothing is tried twice: what the service loses, its caller loses. */
const configuration = (port: number, ports: readonly number[], folder: string): string => `
global
  stats socket ${folder}/stats
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout check 5s
frontend callers
  bind 127.0.0.1:${port}
  default_backend replicas
backend replicas
  balance roundrobin
  option httpchk GET /health/ready
${ports.map((each) => `  server replica-${each} 127.0.0.1:${each} check inter 500ms fall 2 rise 1`).join('\n')}
`;

export class Haproxy {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** In front of what listens on these ports of this machine. */
  static async start(executable: string, ports: readonly number[]): Promise<Haproxy> {
    const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
    const port = await freePort();
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(port, ports, folder));
    const haproxy = new Haproxy(`http://127.0.0.1:${port}`, spawn(executable, ['-db', '-f', file]), folder);
    for (const each of ports) await haproxy.untilReplicaIs('UP', each);
    return haproxy;
  }

  /** What it thinks of a replica, as soon as it thinks so. */
  async untilReplicaIs(state: 'UP' | 'DOWN', port: number): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      const lines = (await this.#ask('show stat').catch(() => '')).split('\n');
      const status = lines.find((line) => line.startsWith(`replicas,replica-${port},`))?.split(',')[17];
      if (status === state) return;
      await sleep(50);
    }
    throw new Error(`HAProxy does not find replica ${port} ${state}`);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      this.process.kill('SIGKILL');
      await once(this.process, 'exit');
    }
    rmSync(this.folder, { recursive: true });
  }

  async #ask(command: string): Promise<string> {
    const socket = connect(join(this.folder, 'stats'));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.end(`${command}\n`);
    await once(socket, 'close');
    return answer;
  }
}
