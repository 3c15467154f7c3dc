/** `npm test`: what it reads in its arguments, and what it tells of skipped tests. */
import { beforeAll, describe, expect, it } from '@jest/globals';

interface JestArguments {
  takeOption(args: readonly string[], name: string): [value: string | undefined, others: readonly string[]];
  takeFlag(args: readonly string[], name: string): [given: boolean, others: readonly string[]];
  selectedProjects(args: readonly string[]): readonly string[];
  withoutSelection(args: readonly string[]): readonly string[];
}
interface SkippedTests {
  skippedTests(results: readonly object[]): readonly object[];
  linesOf(skipped: readonly object[]): readonly string[];
}

const load = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../scripts/${name}`, import.meta.url).href)) as T;

let jestArguments: JestArguments;
let skippedTests: SkippedTests;
beforeAll(async () => {
  jestArguments = await load('jest-arguments.mjs');
  skippedTests = await load('skipped-tests.mjs');
});

describe('the arguments of npm test', () => {
  it.each([
    [['--authorization-server=embedded', 'login'], 'embedded', ['login']],
    [['-t', 'a name', '--authorization-server', 'docker', 'login'], 'docker', ['-t', 'a name', 'login']],
    [['--authorization-server='], '', []],
    [['login', '--authorization-server'], '', ['login']],
    [['--authorization-server=docker', '--authorization-server=embedded'], 'embedded', []],
    [['login', '--coverage'], undefined, ['login', '--coverage']],
  ])('%j hold the server %j, and for Jest %j', (args, value, others) => {
    expect(jestArguments.takeOption(args, 'authorization-server')).toEqual([value, others]);
  });

  it('say by --complete that nothing may be left out', () => {
    expect(jestArguments.takeFlag(['login', '--complete'], 'complete')).toEqual([true, ['login']]);
    expect(jestArguments.takeFlag(['login', '--completed'], 'complete')).toEqual([false, ['login', '--completed']]);
  });

  it.each([
    [['--selectProjects=e2e', 'login'], ['e2e'], ['login']],
    [
      ['login', '--selectProjects', 'unit', 'e2e', '--coverage', '-t', 'x'],
      ['unit', 'e2e'],
      ['login', '--coverage', '-t', 'x'],
    ],
    [['login'], [], ['login']],
  ])('%j ask for the projects %j, and have beside them %j', (args, projects, others) => {
    expect(jestArguments.selectedProjects(args)).toEqual(projects);
    expect(jestArguments.withoutSelection(args)).toEqual(others);
  });
});

describe('what was skipped', () => {
  const test = (status: string, title: string, ...ancestorTitles: readonly string[]) => ({
    status,
    ancestorTitles,
    fullName: [...ancestorTitles, title].join(' '),
  });
  const result = (name: string, ...testResults: readonly object[]) => ({
    testFilePath: `${process.cwd()}/test/${name}`,
    testResults,
  });

  it('is told by suite and full name; what ran, and what is still to do, is not', () => {
    const skipped = skippedTests.skippedTests([
      result('a.e2e-spec.ts', test('passed', 'runs', 'one'), test('pending', 'waits', 'one', 'two'), test('todo', 'x')),
      result('b.e2e-spec.ts', test('failed', 'fails')),
    ]);
    expect(skipped).toEqual([{ suite: 'test/a.e2e-spec.ts', group: 'one', whole: false, names: ['one two waits'] }]);
    expect(skippedTests.linesOf(skipped)).toEqual(['test/a.e2e-spec.ts: one two waits']);
  });

  it('is one line for a large group of which nothing ran', () => {
    const many = ['1', '2', '3', '4', '5'].map((title) => test('pending', title, 'Keycloak'));
    const told = (...tests: readonly object[]) =>
      skippedTests.linesOf(skippedTests.skippedTests([result('c.e2e-spec.ts', ...tests)]));
    expect(told(...many)).toEqual(['test/c.e2e-spec.ts: Keycloak (all of it: 5 tests)']);
    expect(told(...many, test('passed', '6', 'Keycloak'))).toHaveLength(5);
    expect(told(...many.slice(1))).toHaveLength(4);
  });
});
