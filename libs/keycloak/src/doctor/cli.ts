#!/usr/bin/env node
/** The command nestjs-keycloak-s2s: looks up its subcommand, of which there is one. */
import { runDoctor, USAGE } from './run-doctor.js';

const [command, ...args] = process.argv.slice(2);
const isCommand = command === 'doctor';
if (!isCommand) (command === '--help' ? process.stdout : process.stderr).write(USAGE);
const exitCode = isCommand
  ? await runDoctor(args, {
      environment: process.env,
      print: (text) => void process.stdout.write(text),
      printError: (text) => void process.stderr.write(text),
      hasColors: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    })
  : command === '--help'
    ? 0
    : 3;
process.exitCode = exitCode;
// What the module of a service has opened must not keep the process alive; what was printed must be out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
