import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

export interface Job {
  readonly if?: string;
  readonly needs?: readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly Step[];
}

export interface Workflow {
  readonly on: string | Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean | string };
  readonly jobs: Readonly<Record<string, Job>>;
}

export interface CompositeAction {
  readonly runs: { readonly steps: readonly Step[] };
}

const WORKFLOWS = '.github/workflows';
const ACTIONS = '.github/actions';

export const files: readonly string[] = [
  ...readdirSync(WORKFLOWS).map((name) => join(WORKFLOWS, name)),
  ...readdirSync(ACTIONS).map((name) => join(ACTIONS, name, 'action.yml')),
];

export const workflows: ReadonlyMap<string, Workflow> = new Map(
  readdirSync(WORKFLOWS).map((name) => [name, parse(readFileSync(join(WORKFLOWS, name), 'utf8')) as Workflow]),
);

export const actions: ReadonlyMap<string, CompositeAction> = new Map(
  readdirSync(ACTIONS).map((name) => [
    name,
    parse(readFileSync(join(ACTIONS, name, 'action.yml'), 'utf8')) as CompositeAction,
  ]),
);

export const jobs: readonly (readonly [name: string, job: Job])[] = [...workflows].flatMap(([file, { jobs: own }]) =>
  Object.entries(own).map(([name, job]) => [`${file}: ${name}`, job] as const),
);

export function workflow(file: string): Workflow {
  const found = workflows.get(file);
  if (found === undefined) throw new Error(`${WORKFLOWS}/${file} does not exist`);
  return found;
}

export function commandsOf({ steps, strategy }: Pick<Job, 'steps' | 'strategy'>): string[] {
  const lines = steps.flatMap(({ run = '' }) => run.split('\n')).filter((line) => line !== '');
  return lines.flatMap((line) => {
    const key = /\$\{\{ matrix\.(\w+) \}\}/.exec(line);
    return key === null ? [line] : (strategy?.matrix[key[1] ?? ''] ?? []).map((value) => line.replace(key[0], value));
  });
}
