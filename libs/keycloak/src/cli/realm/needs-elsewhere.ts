import { execFile } from 'node:child_process';
import type { OtherLibrary } from '../application/other-library.js';
import { UsageError } from '../usage-error.js';
import type { ServiceNeeds } from './plan/service-needs.js';

/** Changes with the type `ServiceNeeds`, because two versions of the library may exchange these needs. */
const FORMAT = 1;

const MAX_BYTES = 16 * 1024 * 1024;

/** Loading the module may take a minute. */
const MAX_MS = 90_000;

interface Needs {
  readonly format: typeof FORMAT;
  readonly needs: readonly ServiceNeeds[];
}

export const needsText = (needs: readonly ServiceNeeds[]): string => JSON.stringify({ format: FORMAT, needs });

/** Reads the module in another process, with the copy of the library that the module uses. */
export async function needsFromOtherLibrary(
  { command, version }: OtherLibrary,
  reference: string,
): Promise<readonly ServiceNeeds[]> {
  const args = [...process.execArgv, command, 'realm', 'needs', '--module', reference];
  const { printed, errors } = await run(args);
  const read = parsed(printed);
  if (read !== undefined) return read.needs;
  const why = errors.replace(/^realm: /, '').trim();
  throw new UsageError(
    why.startsWith(reference) || why.includes("can't be imported")
      ? why
      : `${reference} uses nestjs-keycloak-s2s ${version}, which gives this command no needs. Install the same version in both projects. ${why.split('\n', 1)[0]}`,
  );
}

const run = async (args: readonly string[]): Promise<{ readonly printed: string; readonly errors: string }> =>
  new Promise((done) => {
    execFile(process.execPath, args, { maxBuffer: MAX_BYTES, timeout: MAX_MS }, (_, printed, errors) =>
      done({ printed, errors }),
    );
  });

function parsed(text: string): Needs | undefined {
  try {
    const read = JSON.parse(text) as Needs;
    return read.format === FORMAT ? read : undefined;
  } catch {
    return undefined;
  }
}
