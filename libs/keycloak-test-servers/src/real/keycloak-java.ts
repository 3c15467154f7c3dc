import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstLine, isNoSuchCommand } from './failed-command.js';

const MIN_JAVA = 17;

export async function findJava(): Promise<{ command: string } | { missing: string }> {
  const home = process.env['JAVA_HOME'];
  const candidates = [...(home === undefined || home === '' ? [] : [join(home, 'bin', 'java')]), 'java'];
  const unsuitable: string[] = [];
  for (const command of candidates) {
    const version = await versionOf(command);
    if (typeof version === 'number' && version >= MIN_JAVA) return { command };
    if (version !== undefined) unsuitable.push(typeof version === 'number' ? `${command} is Java ${version}` : version);
  }
  return {
    missing:
      unsuitable.length > 0
        ? `Java: ${unsuitable.join(', ')}; Keycloak needs ${MIN_JAVA} or newer`
        : 'Java: not found, neither through JAVA_HOME nor on PATH',
  };
}

export function parseJavaVersion(output: string): number | undefined {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(output);
  if (match === null) return undefined;
  // Up to Java 8, the feature release is the second number: "1.8.0_392".
  return Number(match[1] === '1' ? match[2] : match[1]);
}

async function versionOf(command: string): Promise<number | string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, ['-version'], { timeout: 20_000 });
    return parseJavaVersion(stderr + stdout) ?? `${command} prints no version`;
  } catch (error) {
    return isNoSuchCommand(error) ? undefined : `${command} does not run (${firstLine(error)})`;
  }
}
