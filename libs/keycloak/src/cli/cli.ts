#!/usr/bin/env node
import { runDoctor, USAGE } from './doctor/run-doctor.js';
import { OBSERVED_USAGE, runObserved } from './observed/run-observed.js';
import { REALM_USAGE } from './realm/realm-flags.js';
import { runRealm } from './realm/run-realm.js';
import { COULD_NOT_RUN, type Surroundings } from './surroundings.js';

const COMMANDS: Readonly<Record<string, (args: readonly string[], surroundings: Surroundings) => Promise<number>>> = {
  doctor: runDoctor,
  realm: runRealm,
  observed: runObserved,
  'migrate-from-nest-keycloak-connect': async (args, { print, printError }) => {
    const { runMigration } = await import('./migration/run-migration.js');
    return runMigration(args, { print, printError, folder: process.cwd() });
  },
};

const [command = '', ...args] = process.argv.slice(2);
const isHelp = command === '--help' || command === 'help';
const { stdout, stderr } = process;
const write = stdout.write.bind(stdout);
const print = (text: string): void => void write(text);
const printError = (text: string): void => void stderr.write(text);

const MIGRATION_USAGE = `Usage: nestjs-keycloak-s2s migrate-from-nest-keycloak-connect [--write] PATH…

Changes the code of an application that uses nest-keycloak-connect; --help says more.
`;

/** Flushes the output and ends the process, even if the examined module has open handles. */
function end(exitCode: number): void {
  process.exitCode = exitCode;
  write('', () => stderr.write('', () => process.exit()));
}

const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
if (run === undefined) {
  (isHelp ? print : printError)(`${USAGE}\n${REALM_USAGE}\n${OBSERVED_USAGE}\n${MIGRATION_USAGE}`);
  end(isHelp ? 0 : COULD_NOT_RUN);
} else {
  stdout.write = stderr.write.bind(stderr);
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.once(event, (failure: unknown) => {
      printError(`${command}: the examined module failed (${String(failure)})\n`);
      end(COULD_NOT_RUN);
    });
  }
  const hasColors = stdout.isTTY === true && !process.env['NO_COLOR'];
  end(await run(args, { environment: process.env, print, printError, hasColors }));
}
