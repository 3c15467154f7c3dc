import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import RunReport from './run-report.mjs';
import { linesOf, skippedTests } from './skipped-tests.mjs';

const test = (status: string, title: string, ...ancestorTitles: readonly string[]) => ({
  status,
  ancestorTitles,
  fullName: [...ancestorTitles, title].join(' '),
});
const result = (name: string, ...testResults: readonly ReturnType<typeof test>[]) => ({
  testFilePath: `${process.cwd()}/test/${name}`,
  testResults,
});

describe('the list of skipped tests', () => {
  it('contains the suite and the full title of each skipped test', () => {
    const skipped = skippedTests([
      result('a.e2e-spec.ts', test('passed', 'runs', 'one'), test('pending', 'waits', 'one', 'two'), test('todo', 'x')),
      result('b.e2e-spec.ts', test('failed', 'fails')),
    ]);
    expect(skipped).toEqual([{ suite: 'test/a.e2e-spec.ts', group: 'one', whole: false, names: ['one two waits'] }]);
    expect(linesOf(skipped)).toEqual(['test/a.e2e-spec.ts: one two waits']);
  });

  it('has only one line for a large group if all tests of the group were skipped', () => {
    const many = ['1', '2', '3', '4', '5'].map((title) => test('pending', title, 'Keycloak'));
    const told = (...tests: ReturnType<typeof test>[]) => linesOf(skippedTests([result('c.e2e-spec.ts', ...tests)]));
    expect(told(...many)).toEqual(['test/c.e2e-spec.ts: Keycloak (all of it: 5 tests)']);
    expect(told(...many, test('passed', '6', 'Keycloak'))).toHaveLength(5);
    expect(told(...many.slice(1))).toHaveLength(4);
  });
});

describe('the report of a run', () => {
  const SERVER = { kind: 'embedded', baseUrl: 'http://localhost:1', fallbackReason: 'No Keycloak can be run here' };
  const before = { ...process.env };
  let printed = '';
  const suites = { numTotalTestSuites: 4, numPassedTestSuites: 1, numFailedTestSuites: 1, numPendingTestSuites: 0 };
  const skippedResults = [result('a.e2e-spec.ts', test('pending', 'waits', 'one'))];

  beforeEach(() => {
    printed = '';
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    process.env['TEST_AUTHORIZATION_SERVER'] = JSON.stringify(SERVER);
    process.env['AUTHORIZATION_SERVER'] = 'available';
    delete process.env['TEST_COMPLETE'];
  });
  afterEach(() => {
    jest.restoreAllMocks();
    process.env = { ...before };
  });

  const reportOf = (testResults: ReturnType<typeof result>[], testNamePattern?: string): RunReport => {
    const report = new RunReport(testNamePattern === undefined ? {} : { testNamePattern }, {
      skippedFile: '/dev/null',
    });
    report.onRunComplete(undefined, { testResults });
    return report;
  };

  it('names the server and the estimated time at the start', () => {
    new RunReport({}).onRunStart(suites, { estimatedTime: 660 });
    expect(printed).toMatch(/^Running 4 suites against the embedded authorization server, .* \(some 11 min, /);
    printed = '';
    delete process.env['TEST_AUTHORIZATION_SERVER'];
    new RunReport({}).onRunStart(suites, { estimatedTime: 50 });
    expect(printed).toMatch(/^Running 4 suites without a server \(some 50 s, /);
  });

  it('prints the progress every ten seconds if the output is not a terminal', () => {
    jest.useFakeTimers();
    try {
      const report = new RunReport({}, { isTerminal: false });
      report.onRunStart(suites, { estimatedTime: 0 });
      printed = '';
      report.onTestResult(undefined, undefined, suites);
      expect(printed).toBe('');
      jest.advanceTimersByTime(10_000);
      report.onTestResult(undefined, undefined, suites);
      report.onTestResult(undefined, undefined, suites);
      expect(printed).toBe('--- 2 of 4 suites after 10 s, 1 of them failed\n');
      const onTerminal = new RunReport({}, { isTerminal: true });
      printed = '';
      onTerminal.onTestResult(undefined, undefined, suites);
      expect(printed).toBe('');
    } finally {
      jest.useRealTimers();
    }
  });

  it('names the authorization server, the reason for its choice, and the skipped tests at the end', () => {
    const report = reportOf(skippedResults);
    expect(printed).toMatch(
      /1 tests were skipped, which need a real Keycloak, or a tool[^]*test\/a.e2e-spec.ts: one waits/,
    );
    expect(printed).toContain('Ran against the embedded authorization server');
    expect(printed).toContain('(AUTHORIZATION_SERVER=available)');
    expect(printed).toContain('No Keycloak can be run here');
    expect(report.getLastError()).toBeUndefined();
  });

  it('fails a run with --complete only if a test is skipped', () => {
    process.env['TEST_COMPLETE'] = 'true';
    expect(reportOf(skippedResults).getLastError()).toEqual(new Error('--complete: 1 tests were skipped'));
    expect(reportOf([result('a.e2e-spec.ts', test('passed', 'runs'))]).getLastError()).toBeUndefined();
  });

  it('does not count a test as skipped if -t excludes the test', () => {
    process.env['TEST_COMPLETE'] = 'true';
    expect(reportOf(skippedResults, 'runs').getLastError()).toBeUndefined();
    expect(printed).not.toContain('skipped');
  });

  it('prints nothing for a run without an authorization server', () => {
    delete process.env['TEST_AUTHORIZATION_SERVER'];
    reportOf(skippedResults);
    expect(printed).toBe('');
  });
});
