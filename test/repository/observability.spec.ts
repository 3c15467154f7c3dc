/** Alert rules and dashboard name no metric, attribute or page that there is not. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { documented, queries, rules, wordsOf } from '../support/observability.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Of the scrape, and not of the services. */
const OF_PROMETHEUS = new Set(['service', 'instance', 'job']);
const FUNCTIONS = new Set(['sum', 'max', 'by', 'rate', 'increase', 'histogram_quantile', 'up']);

describe('rules and dashboard', () => {
  it.each(queries)('%s: asks for documented metrics by documented attributes', (_, query) => {
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
    '%s says what to do, in %s',
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

  it('are tested, each where it is due and where it is not', () => {
    const { tests } = parse(read('deploy/observability/alerts.test.yml')) as {
      readonly tests: readonly { readonly alert_rule_test: readonly { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const all = tests.flatMap((test) => test.alert_rule_test);
    const of = (isDue: boolean): string[] =>
      all.filter(({ exp_alerts: due }) => due.length > 0 === isDue).map(({ alertname }) => alertname);
    const names = rules.map(({ alert }) => alert).toSorted();
    expect([of(true).toSorted(), of(false).toSorted()]).toEqual([names, names]);
  });
});
