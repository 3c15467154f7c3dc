import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from '../usage-error.js';

export const REALM_USAGE = `Usage: nestjs-keycloak-s2s realm plan|check [flags]

plan   prints the part of a realm that services need: clients, permissions, levels of authentication
check  compares that part with a realm. It changes nothing, and prints no secret

  --module FILE[#NAME]     the compiled root module of a service, such as dist/app.module.js; may be repeated. The command
                           makes its providers and starts nothing. NAME may be a function that returns the module
  --permissions FILE       who may hold each permission; default keycloak-permissions.json
  --issuer URL             the realm to plan; default the first issuer of the first module

plan:
  --format FORMAT          text (default), json, realm (for --import-realm), config-cli or terraform
  --out FILE               also writes the requirements to FILE, as JSON
  --check FILE             compares the requirements with FILE instead, and exits with 1 if they differ

check, with the access token of an administrator with the roles view-clients and view-realm in KEYCLOAK_ADMIN_TOKEN:
  --admin-token-file FILE  a file that holds that token; - reads standard input
  --realm-file FILE        checks a realm file, without a token
  --json                   prints JSON
  --help                   prints this

Exit codes of plan: 0 done, 1 a fault or a difference, 3 it could not run.
Exit codes of check: 0 all is well, 1 warnings, 2 errors, 3 it could not run.
`;

const COMMON = {
  module: { type: 'string', multiple: true },
  permissions: { type: 'string' },
  issuer: { type: 'string' },
  help: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

const PLAN = {
  ...COMMON,
  format: { type: 'string' },
  out: { type: 'string' },
  check: { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

const CHECK = {
  ...COMMON,
  'admin-token-file': { type: 'string' },
  'realm-file': { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

export type PlanFlags = ReturnType<typeof planFlags>;
export type CheckFlags = ReturnType<typeof checkFlags>;

export const planFlags = (args: readonly string[]) =>
  parsed(() => parseArgs({ args: [...args], options: PLAN }).values);

export const checkFlags = (args: readonly string[]) =>
  parsed(() => parseArgs({ args: [...args], options: CHECK }).values);

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (failure) {
    throw new UsageError(`${(failure as Error).message}\n\n${REALM_USAGE}`);
  }
}
