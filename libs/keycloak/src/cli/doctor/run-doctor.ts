import { parseArgs, type ParseArgsConfig } from 'node:util';
import { error, worstOf, type Finding } from '../../checkup/finding.js';
import { ConfigurationError } from '../../protocol/configuration-faults.js';
import { administratorToken, type Environment } from '../given-secrets.js';
import { loadApplication } from '../application/load-application.js';
import { COULD_NOT_RUN, stackOf, type Surroundings } from '../surroundings.js';
import { subjectOfFlags, type DoctorFlags } from './doctor-settings.js';
import { isApplication, type ApplicationSubject } from '../application/application-subject.js';
import { givenPolicy } from '../policy/permission-policy.js';
import { UsageError } from '../usage-error.js';
import { examine } from './examine.js';
import { EXIT_CODES, jsonReport, textReport, type ReportSubject } from '../report.js';

export const USAGE = `Usage: nestjs-keycloak-s2s doctor [flags]

Checks the settings of a service, and prints a checklist. It asks Keycloak for tokens and
throws them away; it changes nothing, and prints no secret.

  --module FILE[#NAME]       the compiled root module, such as dist/app.module.js: doctor makes its providers, starts nothing,
                             and so knows its settings, what it calls, and what its handlers demand. NAME may be a function
                             that returns the module
or, without a module:
  --issuer URL               or KEYCLOAK_ISSUER, or KEYCLOAK_BASE_URL and KEYCLOAK_REALM
  --base-url URL             or KEYCLOAK_BASE_URL: where Keycloak is reached, if not at the issuer
  --profile NAME             keycloak, rfc9068 or rfc7662; default keycloak
  --client-id ID             or KEYCLOAK_CLIENT_ID
  --client-secret-file FILE  or KEYCLOAK_CLIENT_SECRET, KEYCLOAK_CLIENT_SECRET_FILE; - reads standard input
  --ca-file FILE             certificates of the authorities that are trusted for Keycloak, in PEM; or KEYCLOAK_CA_FILE
  --services-ca-file FILE    and for the services of --calls; or SERVICES_CA_FILE
  --calls AUDIENCE=URL,SCOPE,…   a service that it calls, and the scopes that it asks for; may be repeated
  --accepts PERMISSION,…     what its own handlers demand
  --allow-insecure-requests  accepts http: for development; or KEYCLOAK_ALLOW_INSECURE_REQUESTS=true

  --admin                    also reads the realm, with an administrator's token from KEYCLOAK_ADMIN_TOKEN
  --admin-token-file FILE    a file that holds that token; - reads standard input
  --permissions FILE         who may hold each permission, for --admin; default keycloak-permissions.json, if it exists
  --no-permitted-calls       leaves out the list of permitted calls that --admin prints
  --json                     prints JSON
  --help                     prints this

Exit codes: 0 all is well, 1 warnings, 2 errors, 3 it could not run.
`;

const OPTIONS = {
  module: { type: 'string' },
  issuer: { type: 'string' },
  'base-url': { type: 'string' },
  profile: { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret-file': { type: 'string' },
  'ca-file': { type: 'string' },
  'services-ca-file': { type: 'string' },
  'allow-insecure-requests': { type: 'boolean' },
  calls: { type: 'string', multiple: true },
  accepts: { type: 'string' },
  admin: { type: 'boolean' },
  'admin-token-file': { type: 'string' },
  permissions: { type: 'string' },
  'no-permitted-calls': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

export async function runDoctor(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { environment, print, printError, hasColors } = surroundings;
  try {
    const { values: flags } = parseFlags(args);
    if (flags.help === true) {
      print(USAGE);
      return 0;
    }
    const token =
      flags.admin === true || flags['admin-token-file'] !== undefined
        ? administratorToken(flags['admin-token-file'], environment)
        : undefined;
    const policy = token === undefined && flags.permissions === undefined ? undefined : givenPolicy(flags.permissions);
    const subject = await subjectFor(flags, environment);
    const examined = isApplication(subject) ? await examine(subject, token, policy) : { findings: subject };
    const examination = flags['no-permitted-calls'] === true ? { findings: examined.findings } : examined;
    const of = isApplication(subject) ? namesOf(subject) : [];
    print(flags.json === true ? `${jsonReport(of, examination)}\n` : `${textReport(of, examination, hasColors)}\n`);
    return EXIT_CODES[worstOf(examination.findings)];
  } catch (failure) {
    printError(failure instanceof UsageError ? `doctor: ${failure.message}\n` : `${stackOf(failure)}\n`);
    return COULD_NOT_RUN;
  }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true });
  } catch (failure) {
    throw new UsageError(`${(failure as Error).message}\n\n${USAGE}`);
  }
}

async function subjectFor(
  flags: DoctorFlags,
  environment: Environment,
): Promise<ApplicationSubject | readonly Finding[]> {
  if (flags.module !== undefined) return loadApplication(flags.module);
  try {
    return subjectOfFlags(flags, environment);
  } catch (failure) {
    if (!(failure instanceof ConfigurationError)) throw failure;
    return failure.faults.map((fault) =>
      error('settings', `${fault}.`, 'Correct the flag or the variable; --help lists them.'),
    );
  }
}

const namesOf = ({ keycloak }: ApplicationSubject): ReportSubject[] =>
  keycloak.issuers.map(({ issuer, checkup }) => ({ client: checkup.options.clientId, issuer }));
