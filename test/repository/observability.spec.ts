import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import description from '../../services.json' with { type: 'json' };
import { documented, queries, rules, wordsOf } from '../support/observability.js';
import { OBSERVABILITY, promtoolPath } from '../support/prometheus.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const OF_PROMETHEUS = new Set(['service', 'instance', 'job']);
const FUNCTIONS = new Set(
  'sum min max count by and or on unless offset up rate increase histogram_quantile last_over_time max_over_time count_over_time'.split(
    ' ',
  ),
);

describe('the alert rules and the dashboard', () => {
  it.each(queries)('query only documented metrics and documented attributes: %s', (_, query) => {
    const names = wordsOf(query);
    const metrics = names.filter((name) => documented.has(name));
    const labels = new Set(metrics.flatMap((name) => documented.get(name) ?? []));
    const unknown = names.filter(
      (name) => !documented.has(name) && !FUNCTIONS.has(name) && !OF_PROMETHEUS.has(name) && !labels.has(name),
    );
    expect(unknown).toEqual([]);
    expect(metrics.length + Number(names.includes('up'))).toBeGreaterThan(0);
  });

  it.each(rules.map(({ alert, annotations }) => [alert, annotations.runbook] as const))(
    'include the alert %s with a link to an existing heading of the runbook: %s',
    (_, runbook) => {
      const [file = '', anchor] = runbook.split('#');
      expect(existsSync(join(root, file))).toBe(true);
      const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w\s-]/g, '')
          .replaceAll(/\s/g, '-'),
      );
      expect(anchor === undefined || headings.includes(anchor)).toBe(true);
    },
  );

  it.each(rules.map(({ alert }) => alert))('include the alert %s, which has a row in the runbook (OP-03)', (alert) => {
    const [, table = ''] = read('docs/operations.md').split('\n## Alerts\n');
    const [row = ''] = (table.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith(`| \`${alert}\``));
    const [, , meaning = '', cure = ''] = row.split('|').map((cell) => cell.trim());
    expect([meaning, cure]).not.toContain('');
  });

  it('have two tests for each alert: in one test the alert fires, in the other it does not (OP-03)', () => {
    const { tests } = parse(read('deploy/observability/alerts.test.yml')) as {
      readonly tests: readonly { readonly alert_rule_test: readonly { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const all = tests.flatMap((test) => test.alert_rule_test);
    const of = (isDue: boolean): string[] => [
      ...new Set(all.filter(({ exp_alerts: due }) => due.length > 0 === isDue).map(({ alertname }) => alertname)),
    ];
    const names = rules.map(({ alert }) => alert).toSorted();
    expect([of(true).toSorted(), of(false).toSorted()]).toEqual([names, names]);
  });
});

const withPromtool = promtoolPath === undefined ? describe.skip : describe;

withPromtool('promtool', () => {
  it.each([
    ['the configuration', ['check', 'config', '--syntax-only', 'prometheus.yml']],
    ['the configuration for Kubernetes', ['check', 'config', '--syntax-only', 'kubernetes.yml']],
    ['the rules', ['check', 'rules', '--lint-fatal', 'alerts.yml']],
    ['the tests of the alerts (OP-03)', ['test', 'rules', 'alerts.test.yml']],
  ])('reports no error in %s', async (_, args) => {
    await expect(promisify(execFile)(promtoolPath ?? '', args, { cwd: OBSERVABILITY })).resolves.toBeDefined();
  });
});

describe('Prometheus of the compose file', () => {
  it('scrapes each replica of each service at the addresses in DNS', () => {
    const configuration = parse(read('deploy/observability/prometheus.yml')) as {
      readonly scrape_configs: readonly Readonly<Record<string, unknown>>[];
    };
    const compose = parse(read('docker-compose.yml'), { merge: true }) as {
      readonly services: Readonly<Record<string, { readonly environment?: { readonly MANAGEMENT_PORT?: number } }>>;
    };
    const measured = Object.entries(compose.services).filter(([, { environment }]) => environment?.MANAGEMENT_PORT);
    const names = [...Object.keys(description.services), description.poller.name];
    expect(measured.map(([name]) => name).toSorted()).toEqual(names.toSorted());
    const [services, ...others] = configuration.scrape_configs;
    expect(others).toEqual([]);
    expect(services).not.toHaveProperty('static_configs');
    expect(services).toMatchObject({
      dns_sd_configs: [{ names, type: 'A', port: measured[0]?.[1].environment?.MANAGEMENT_PORT }],
      relabel_configs: [{ source_labels: ['__meta_dns_name'], target_label: 'service' }],
    });
  });
});
