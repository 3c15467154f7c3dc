#!/usr/bin/env node
/** The command nestjs-keycloak-s2s: looks up its subcommand, of which there is one. */
import { COULD_NOT_RUN, runDoctor, USAGE } from './run-doctor.js';

const [command, ...args] = process.argv.slice(2);
const isHelp = command === '--help' || command === 'help';
const { stdout, stderr } = process;
const write = stdout.write.bind(stdout);
const print = (text: string): void => void write(text);
const printError = (text: string): void => void stderr.write(text);

/** What the module of a service has opened must not keep the process alive; what was printed must be out first. */
function end(exitCode: number): void {
  process.exitCode = exitCode;
  write('', () => stderr.write('', () => process.exit()));
}

if (command === 'doctor') {
  // What the module of a service prints is not part of the report.
  stdout.write = stderr.write.bind(stderr);
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.once(event, (failure: unknown) => {
      printError(`doctor: the module of the service failed while doctor looked at it: ${String(failure)}\n`);
      end(COULD_NOT_RUN);
    });
  }
  const hasColors = stdout.isTTY === true && !process.env['NO_COLOR'];
  end(await runDoctor(args, { environment: process.env, print, printError, hasColors }));
} else {
  (isHelp ? print : printError)(USAGE);
  end(isHelp ? 0 : COULD_NOT_RUN);
}
