import { COULD_NOT_RUN, stackOf, type Surroundings } from '../surroundings.js';
import { UsageError } from '../usage-error.js';
import { needsOf } from './plan/service-needs.js';
import { applicationAt } from './planned-requirements.js';
import { checkFlags, planFlags, REALM_USAGE } from './realm-flags.js';
import { runCheck } from './run-check.js';
import { runPlan } from './run-plan.js';

export async function runRealm([command, ...args]: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, printError } = surroundings;
  try {
    if (command === '--help' || command === 'help') return printUsage(print);
    if (command === 'plan') {
      const flags = planFlags(args);
      return flags.help === true ? printUsage(print) : await runPlan(flags, surroundings);
    }
    if (command === 'check') {
      const flags = checkFlags(args);
      return flags.help === true ? printUsage(print) : await runCheck(flags, surroundings);
    }
    // Only another copy of the library calls this command: see needs-elsewhere.ts.
    if (command === 'needs') {
      for (const reference of planFlags(args).module ?? [])
        print(JSON.stringify(needsOf(await applicationAt(reference))));
      return 0;
    }
    throw new UsageError(`the command must be realm plan or realm check\n\n${REALM_USAGE}`);
  } catch (failure) {
    printError(failure instanceof UsageError ? `realm: ${failure.message}\n` : `${stackOf(failure)}\n`);
    return COULD_NOT_RUN;
  }
}

function printUsage(print: (text: string) => void): number {
  print(REALM_USAGE);
  return 0;
}
