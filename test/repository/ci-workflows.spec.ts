import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { KEYCLOAKS, NODES } from '../../compat/cells.mjs';
import { actions, commandsOf, workflow } from '../support/workflows.js';

const RUN = readFileSync('.ci/run', 'utf8');
const CHECKS = readFileSync('.ci/checks.sh', 'utf8');

const OF_PULL_REQUESTS = ['npm run sign-off -- "$BASE..$HEAD"'];

const { jobs } = workflow('ci.yml');
const commands = Object.values(jobs).flatMap(commandsOf);

const order = RUN.split('\n').filter((line) => /^(check |jest_suites$|\[ -z "\$engine" \]|\w+_suite$)/.test(line));
const suites = order.flatMap((line) => /\b\w+_suite$/.exec(line) ?? []);
const checks = order.flatMap((line) => {
  const [, name = '', argument = ''] =
    (line === 'jest_suites' && /^ {2}attempt \d+ (\w+) /m.exec(RUN)) ||
    /^check (?:'[^']*'|"[^"]*") \d+ (\w+)(?: (\S+))?$/.exec(line) ||
    [];
  return name === '' ? [] : [{ line, command: commandOf(name, argument) }];
});

function commandOf(name: string, argument: string): string {
  const body = new RegExp(`^${name}\\(\\) \\{(.*)\\}$|^${name}\\(\\) \\{$([^]*?)^\\}$`, 'm').exec(CHECKS) ?? [];
  const found = /\bnpm (?:run|test) [^;\n]*/.exec(body[1] ?? body[2] ?? '')?.[0] ?? `no npm script in ${name}`;
  return found.replace('"$1"', argument).replace(/ --json .*/, '');
}

const valueOf = (variable: string): string | undefined => new RegExp(`\\b${variable}=(\\S+)`).exec(RUN)?.[1];

describe('the workflow ci.yml', () => {
  it('is compared with every check and suite of .ci/run', () => {
    expect(checks.length + suites.length).toBe(order.length);
    expect(checks.map(({ command }) => command)).toEqual(
      expect.arrayContaining(['npm run lint', 'npm test -- --complete', 'npm run compat -- --quick']),
    );
    expect(suites).toContain('compose_suite');
  });

  it.each(checks)('runs "$command" as .ci/run does', ({ command }) => {
    expect(commands).toContain(command);
  });

  it.each(suites)('runs the %s of .ci/run', (suite) => {
    expect(commands).toContain(`bash .ci/run tools ${suite}`);
  });

  it('runs no npm script that .ci/run does not run', () => {
    const known = [...checks.map(({ command }) => command), ...OF_PULL_REQUESTS];
    const scripts = commands.filter((command) => command.startsWith('npm '));
    expect(scripts.filter((command) => !known.includes(command))).toEqual([]);
  });

  it('runs unit specs on the oldest Node and on each tested line of Node', () => {
    const tested = NODES.map((node) => (node === '20' ? valueOf('OLDEST_NODE') : node));
    const main = actions.get('setup')?.runs.steps[0]?.with?.['node-version'];
    expect(String(main)).toBe(valueOf('NODE'));
    expect([...(jobs['unit']?.strategy?.matrix['node'] ?? []), String(main)].toSorted()).toEqual(tested.toSorted());
  });

  it('has a job that fails if any other job fails', () => {
    const { all, ...others } = jobs;
    expect(all?.needs?.toSorted()).toEqual(Object.keys(others).toSorted());
    expect(all?.if).toBe('always()');
    expect(all?.steps[0]?.if).toMatch(/'failure'.*'cancelled'/);
  });
});

describe('the workflow nightly.yml', () => {
  const nightly = workflow('nightly.yml').jobs;

  it('runs verify:long, and the whole of compat in other jobs', () => {
    expect(Object.values(nightly).flatMap(commandsOf)).toEqual(
      expect.arrayContaining(['npm run verify:long -- --compat 0', 'npm run compat']),
    );
  });

  it('tests each Keycloak of compat', () => {
    const job = nightly['keycloak'];
    expect(job === undefined ? [] : commandsOf(job)).toEqual(
      expect.arrayContaining(KEYCLOAKS.map((version) => `npm run compat -- --keycloak ${version}`)),
    );
  });
});
