/** The Java that runs Keycloak: found through JAVA_HOME or on PATH. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstLine, isNoSuchCommand } from './failed-command.js';

const OLDEST_JAVA = 17;

/** The command of a Java that is new enough, or a sentence saying why there is none. */
export async function findJava(): Promise<{ command: string } | { missing: string }> {
  const home = process.env['JAVA_HOME'];
  const candidates = [...(home === undefined || home === '' ? [] : [join(home, 'bin', 'java')]), 'java'];
  const unfit: string[] = [];
  for (const command of candidates) {
    const version = await versionOf(command);
    if (typeof version === 'number' && version >= OLDEST_JAVA) return { command };
    if (version !== undefined) unfit.push(typeof version === 'number' ? `${command} is Java ${version}` : version);
  }
  return {
    missing:
      unfit.length > 0
        ? `Java: ${unfit.join(', ')}; Keycloak needs ${OLDEST_JAVA} or newer`
        : 'Java: not found, neither through JAVA_HOME nor on PATH',
  };
}

/** The feature release (8, 17, 21, …) in what `java -version` prints. */
export function parseJavaVersion(output: string): number | undefined {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(output);
  if (match === null) return undefined;
  // Up to Java 8 the feature release came second: "1.8.0_392".
  return Number(match[1] === '1' ? match[2] : match[1]);
}

/** Its feature release; why it can't be told; undefined where there is no such command. */
async function versionOf(command: string): Promise<number | string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, ['-version'], { timeout: 20_000 });
    return parseJavaVersion(stderr + stdout) ?? `${command} does not say which Java it is`;
  } catch (error) {
    return isNoSuchCommand(error) ? undefined : `${command} does not run (${firstLine(error)})`;
  }
}
