/** The Java that runs Keycloak: found through JAVA_HOME or on PATH. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const OLDEST_JAVA = 17;

/** The command of a Java that is new enough, or a sentence saying why there is none. */
export async function findJava(): Promise<{ command: string } | { missing: string }> {
  const home = process.env['JAVA_HOME'];
  const candidates = [...(home === undefined || home === '' ? [] : [join(home, 'bin', 'java')]), 'java'];
  const tooOld: string[] = [];
  for (const command of candidates) {
    const version = await versionOf(command);
    if (version !== undefined && version >= OLDEST_JAVA) return { command };
    if (version !== undefined) tooOld.push(`${command} is Java ${version}`);
  }
  return {
    missing:
      tooOld.length > 0
        ? `Java: ${tooOld.join(', ')}; Keycloak needs ${OLDEST_JAVA} or newer`
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

async function versionOf(command: string): Promise<number | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, ['-version'], { timeout: 20_000 });
    return parseJavaVersion(stderr + stdout);
  } catch {
    return undefined;
  }
}
