import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from 'keycloak-test-servers';
import { parse, stringify } from 'yaml';
import { installed } from '../../scripts/common/installed.mjs';
import { untilListening } from './until-listening.js';

export const prometheusPath = installed('prometheus');
export const promtoolPath = installed('promtool');

export const OBSERVABILITY = fileURLToPath(new URL('../../deploy/observability/', import.meta.url));

interface Configuration {
  readonly global: Record<string, string>;
  rule_files: string[];
  readonly scrape_configs: { dns_sd_configs?: unknown; static_configs?: { targets: string[] }[] }[];
}

export class Prometheus {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly url: string,
  ) {}

  static async start(executable: string, ports: readonly number[]): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
    const configuration = parse(readFileSync(join(OBSERVABILITY, 'prometheus.yml'), 'utf8')) as Configuration;
    configuration.global['scrape_interval'] = '200ms';
    configuration.global['scrape_timeout'] = '200ms';
    configuration.global['evaluation_interval'] = '200ms';
    configuration.rule_files = [join(OBSERVABILITY, 'alerts.yml')];
    for (const scrape of configuration.scrape_configs) {
      delete scrape.dns_sd_configs;
      scrape.static_configs = [{ targets: ports.map((port) => `127.0.0.1:${port}`) }];
    }
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, stringify(configuration));
    const port = await freePort();
    const server = spawn(
      executable,
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    await untilListening(port, { hasEnded: () => server.exitCode !== null });
    const url = `http://127.0.0.1:${port}`;
    // Prometheus opens the port before the server is ready.
    while (server.exitCode === null && !(await fetch(`${url}/-/ready`)).ok) await sleep(50);
    return new Prometheus(server, folder, url);
  }

  async ask<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${path}`);
    return ((await answer.json()) as { readonly data: T }).data;
  }

  async names(wanted: readonly string[]): Promise<readonly string[]> {
    for (let attempts = 0; ; attempts += 1) {
      const names = await this.ask<string[]>('label/__name__/values');
      if (attempts >= 150 || wanted.every((name) => names.includes(name))) return names;
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    this.process.kill();
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
