import { describe, expect, it } from '@jest/globals';
import { chooseServer, runsAlready, selectionLast, takeOptions } from '../../scripts/common/own-options.mjs';

describe('the arguments of npm test', () => {
  const options = { complete: { type: 'boolean' }, 'authorization-server': { type: 'string' } } as const;
  const server = (value: string | boolean) => ({ 'authorization-server': value });

  it.each([
    [['--authorization-server=embedded', 'login'], server('embedded'), ['login']],
    [['-t', 'a name', '--authorization-server', 'docker', 'login'], server('docker'), ['-t', 'a name', 'login']],
    [['--authorization-server='], server(''), []],
    [['login', '--authorization-server'], server(true), ['login']],
    [['--authorization-server=docker', '--authorization-server=embedded'], server('embedded'), []],
    [['login', '--coverage', '--json'], {}, ['login', '--coverage', '--json']],
    [['login', '--complete'], { complete: true }, ['login']],
    [['login', '--completed'], {}, ['login', '--completed']],
    [
      ['--selectProjects', 'unit', 'e2e', '--complete', '-t', 'x'],
      { complete: true },
      ['--selectProjects', 'unit', 'e2e', '-t', 'x'],
    ],
  ])('%j consist of the options %j and the Jest arguments %j', (args, values, others) => {
    expect(takeOptions(args, options)).toEqual({ values, others });
  });
});

describe('the selected projects', () => {
  it.each([
    [
      ['--selectProjects=e2e', 'login'],
      ['login', '--selectProjects=e2e'],
    ],
    [
      ['--selectProjects=e2e', '--selectProjects=unit', '-t', 'x'],
      ['-t', 'x', '--selectProjects=e2e', '--selectProjects=unit'],
    ],
    [
      ['login', '--selectProjects', 'unit', 'e2e'],
      ['login', '--selectProjects', 'unit', 'e2e'],
    ],
    [['login'], ['login']],
  ])('in %j are moved to the end of the arguments: %j', (args, reordered) => {
    expect(selectionLast(args)).toEqual(reordered);
  });
});

describe('the authorization server', () => {
  it.each([
    ['the option, even if the variable is set', 'embedded', 'http://localhost:8180', 'embedded'],
    ['the variable', undefined, 'docker', 'docker'],
    ['the available software, if neither the option nor the variable is set', undefined, undefined, 'available'],
    ['the available software, if the variable is empty', undefined, '', 'available'],
  ])('is chosen by %s', (_, option, variable, choice) => {
    const environment: NodeJS.ProcessEnv = variable === undefined ? {} : { AUTHORIZATION_SERVER: variable };
    expect(chooseServer(option, environment)).toBe(choice);
    expect(environment['AUTHORIZATION_SERVER']).toBe(choice);
  });

  it('is the given default if no option names a server', () => {
    expect(chooseServer(undefined, {}, 'keycloak')).toBe('keycloak');
    expect(chooseServer('available', {}, 'keycloak')).toBe('available');
  });

  it.each(['', true])('is rejected if the option is %j', (option) => {
    expect(() => chooseServer(option, {})).toThrow('--authorization-server= must name a server');
  });

  it('is already running if the option is a URL', () => {
    expect(runsAlready('http://localhost:8180')).toBe(true);
    expect(runsAlready('docker')).toBe(false);
  });
});
