import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const guide = read('docs/metrics.md');

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}

const { groups } = parse(read('deploy/observability/alerts.yml')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
export const rules = groups.flatMap((group) => group.rules);

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const { panels } = JSON.parse(read('deploy/observability/grafana/dashboards/services.json')) as {
  readonly panels: readonly Panel[];
};
export const queries = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
];

const asSeries = (name: string): string => name.replaceAll('.', '_');

export const documented = new Map(
  [
    ...guide.matchAll(/^\| `((?:keycloak_s2s|http)\.[\w.]+)` +\| (counter|histogram|gauge) +\| [^|]+\| ([^|]*)\|/gm),
  ].flatMap(([, name = '', kind = '', attributes = '']) => {
    const labels = [...attributes.matchAll(/`([^`]+)`/g)].map(([, label = '']) => asSeries(label));
    const suffixes = { counter: ['_total'], histogram: ['_bucket', '_count', '_sum'], gauge: [''] }[kind] ?? [];
    return suffixes.map((suffix) => [asSeries(name) + suffix, [...labels, 'le']] as const);
  }),
);

export function wordsOf(query: string): readonly string[] {
  const bare = query.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/(?<![\w$])[a-z_][\w]*/g)].map(([name]) => name);
}
