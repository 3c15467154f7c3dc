import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { balancerConfiguration, COMMON_SETTINGS, replicaName, type Balanced } from '../../scripts/start/balancer.mjs';
import { installed } from '../../scripts/common/installed.mjs';

export const haproxyPath = installed('haproxy');

const [NAME, SERVER, AT_HAND, SESSIONS, NO_CONNECTION, NO_ANSWER, STATE, CHECKED] = [0, 1, 4, 7, 13, 14, 17, 36];

export interface ReplicaCounts {
  readonly sent: number;
  readonly atHand: number;
  readonly unanswered: number;
  /** The number of failed connections; HAProxy sends their requests to another replica. */
  readonly unreached: number;
}

export class Haproxy {
  #printed = '';

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly all: readonly Balanced[],
  ) {
    process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
  }

  static async start(executable: string, all: readonly Balanced[]): Promise<Haproxy> {
    const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
    const file = join(folder, 'replicas.cfg');
    const statistics = `global\n  stats socket ${folder}/stats\n\n`;
    writeFileSync(file, statistics + balancerConfiguration(all));
    const child = spawn(executable, ['-db', '-f', COMMON_SETTINGS, '-f', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const haproxy = new Haproxy(child, folder, all);
    try {
      while ((await haproxy.#ask('show stat').catch(() => '')) === '') await haproxy.#pause();
    } catch (error) {
      await haproxy.stop();
      throw error;
    }
    return haproxy;
  }

  async untilAllAreUp(): Promise<void> {
    for (const { name, replicas } of this.all)
      for (const replica of replicas.keys()) await this.untilReplicaIs('UP', name, replica);
  }

  urlOf(service: string): string {
    return `http://127.0.0.1:${this.all.find(({ name }) => name === service)?.port}`;
  }

  async untilReplicaIs(state: 'UP' | 'DOWN', service: string, replica: number): Promise<void> {
    // HAProxy treats a replica as ready before its first health check.
    const word = { UP: 'L7OK', DOWN: '' }[state];
    for (let tries = 0; tries < 1200; tries += 1) {
      const [found] = await this.#servers(service, replicaName(service, replica));
      if (found?.[STATE] === state && found[CHECKED]?.includes(word)) return;
      await this.#pause();
    }
    throw new Error(`HAProxy does not find ${replicaName(service, replica)} ${state}`);
  }

  async countsOf(service: string): Promise<ReplicaCounts[]> {
    return (await this.#servers(service)).map((columns) => ({
      sent: Number(columns[SESSIONS]),
      atHand: Number(columns[AT_HAND]),
      unanswered: Number(columns[NO_ANSWER]),
      unreached: Number(columns[NO_CONNECTION]),
    }));
  }

  async sentTo(service: string): Promise<number[]> {
    return (await this.countsOf(service)).map(({ sent }) => sent);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      this.process.kill('SIGKILL');
      await once(this.process, 'exit');
    }
    rmSync(this.folder, { recursive: true });
  }

  async #pause(): Promise<void> {
    if (this.process.exitCode !== null) throw new Error(`HAProxy has ended: ${this.#printed}`);
    await sleep(25);
  }

  async #servers(service: string, server?: string): Promise<string[][]> {
    const rows = (await this.#ask('show stat')).split('\n').map((line) => line.split(','));
    return rows.filter(
      (columns) =>
        columns[NAME] === service &&
        (server === undefined ? columns[SERVER]?.startsWith(`${service}.`) : columns[SERVER] === server),
    );
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
