import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const BUILT = join(import.meta.dirname, '../../libs/keycloak-test-servers/dist');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'what-runs-keycloak-'));
  cpSync(BUILT, join(folder, 'built'), { recursive: true });
  write('package.json', '{"type":"module"}');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, content: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

const command = (path: string, content: string): void => chmodSync(write(path, `#!/bin/sh\n${content}\n`), 0o755);

function found(expression: string, environment: Readonly<Record<string, string>> = {}): unknown {
  const program = `console.log(JSON.stringify(await (${expression})))`;
  const args = ['--input-type=module', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: folder, env: environment, encoding: 'utf8' }));
}

const docker = (): unknown =>
  found(`(await import('./built/real/docker-engine.js')).findDocker({ signal: new AbortController().signal })`);
const java = (environment: Readonly<Record<string, string>>): unknown =>
  found(`(await import('./built/real/keycloak-java.js')).findJava()`, environment);

describe('the lookup of Docker', () => {
  it('reports that testcontainers is not installed', () => {
    expect(docker()).toEqual({
      missing: 'Docker: the package testcontainers (an optional peer dependency) is not installed',
    });
  });

  it.each([
    // On Node 20, version 12 of testcontainers fails with this error.
    ['fails when it is loaded', 'undefined.bind', "Cannot read properties of undefined (reading 'bind')"],
    ['lacks one of its dependencies', "await import('dockerode')", "Cannot find package 'dockerode' imported from"],
  ])('reports the reason if testcontainers is installed and %s', (_name, content, why) => {
    write('node_modules/testcontainers/package.json', '{"type":"module","main":"index.js"}');
    write('node_modules/testcontainers/index.js', content);
    expect(docker()).toEqual({ missing: expect.stringContaining(why) });
    expect(docker()).toEqual({ missing: expect.not.stringContaining('not installed') });
    expect(docker()).toEqual({ missing: expect.stringContaining('versions 11 are known to work') });
  });
});

describe('the lookup of Java', () => {
  it('reports that Java was not found', () => {
    expect(java({ PATH: folder, JAVA_HOME: join(folder, 'nowhere') })).toEqual({
      missing: 'Java: not found, neither through JAVA_HOME nor on PATH',
    });
  });

  it('reports the reason if the only installed Java does not run', () => {
    command('bin/java', 'echo "Error: could not find libjava.so" >&2; exit 2');
    expect(java({ PATH: join(folder, 'bin') })).toEqual({
      missing: 'Java: java does not run (Error: could not find libjava.so); Keycloak needs 17 or newer',
    });
  });

  it('finds a working Java even if another Java does not run', () => {
    command('home/bin/java', 'exit 2');
    command('bin/java', `echo 'openjdk version "21.0.2"' >&2`);
    expect(java({ PATH: join(folder, 'bin'), JAVA_HOME: join(folder, 'home') })).toEqual({ command: 'java' });
  });
});
