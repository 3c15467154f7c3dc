import { execFile } from 'node:child_process';
import { VERSION } from '../../protocol/version.js';
import type { OtherLibrary } from '../application/other-library.js';
import { UsageError } from '../usage-error.js';
import type { ServiceNeeds } from './plan/service-needs.js';

const MAX_BYTES = 16 * 1024 * 1024;

/** Loading the module may take a minute. */
const MAX_MS = 90_000;

/**
 * Reads the module in another process, with the copy of the library that the module uses. Both copies have one version,
 * because versions may differ in `ServiceNeeds`.
 */
export async function needsFromOtherLibrary(
  { command, version }: OtherLibrary,
  reference: string,
): Promise<readonly ServiceNeeds[]> {
  if (version !== VERSION) {
    throw new UsageError(
      `${reference} uses nestjs-keycloak-s2s ${version}, and this command is version ${VERSION}. Install the same version in both projects`,
    );
  }
  const args = [...process.execArgv, command, 'realm', 'needs', '--module', reference];
  return new Promise((done, failed) => {
    execFile(process.execPath, args, { maxBuffer: MAX_BYTES, timeout: MAX_MS }, (failure, printed, errors) => {
      if (failure === null) done(JSON.parse(printed) as ServiceNeeds[]);
      else failed(new UsageError(errors.replace(/^realm: /, '').trim() || `${reference}: ${failure.message}`));
    });
  });
}
