import { note, worstOf, type Finding } from '../../checkup/finding.js';
import { KeycloakException } from '../../protocol/keycloak-exception.js';
import { withoutSecrets } from '../../protocol/loggable-text.js';
import { AdminApi, AdminApiError } from '../administrator/admin-api.js';
import { readRealm, type RealmSnapshot } from '../administrator/realm-snapshot.js';
import { unreadableFinding } from '../administrator/unreadable-realm.js';
import { administratorToken } from '../given-secrets.js';
import { inTime } from '../in-time.js';
import { EXIT_CODES, jsonReport, textReport } from '../report.js';
import type { Surroundings } from '../surroundings.js';
import { UsageError } from '../usage-error.js';
import { readRealmFile } from './check/realm-file-snapshot.js';
import { realmDifferences } from './check/realm-differences.js';
import { plannedRequirements, type Planned } from './planned-requirements.js';
import type { CheckFlags } from './realm-flags.js';

export async function runCheck(flags: CheckFlags, surroundings: Surroundings): Promise<number> {
  const { environment, print, printError, hasColors } = surroundings;
  const file = flags['realm-file'];
  if (file !== undefined && flags['admin-token-file'] !== undefined) {
    throw new UsageError('--realm-file excludes --admin-token-file');
  }
  const token = file === undefined ? administratorToken(flags['admin-token-file'], environment) : undefined;
  const planned = await plannedRequirements(flags);
  if (planned.faults.length > 0) {
    for (const fault of planned.faults) printError(`✗ ${fault}\n`);
    throw new UsageError('the requirements have faults, so the realm was not checked');
  }
  const differences = inTime(differencesOf(planned, file, token), MAX_READING_MS, TOO_SLOW);
  const cleanse = cleansingOf(planned, token);
  const findings = [...planned.notes.map((text) => note('module', text)), ...(await differences)];
  const examination = { findings: findings.map((each) => withoutSecretsIn(each, cleanse)) };
  const clients = planned.requirements.clients.map(({ clientId }) => clientId).join(', ');
  const of = [{ client: clients, issuer: file ?? planned.issuer }];
  print(flags.json === true ? `${jsonReport(of, examination)}\n` : `${textReport(of, examination, hasColors)}\n`);
  return EXIT_CODES[worstOf(findings)];
}

const withoutSecretsIn = (finding: Finding, cleanse: (text: string) => string): Finding => ({
  ...finding,
  message: cleanse(finding.message),
  ...(finding.cure === undefined ? {} : { cure: cleanse(finding.cure) }),
});

const MAX_READING_MS = 120_000;
const TOO_SLOW = 'the admin API did not answer everything within two minutes';

async function differencesOf(
  planned: Planned,
  file: string | undefined,
  token: string | undefined,
): Promise<readonly Finding[]> {
  const { requirements, policy } = planned;
  const said = { file: planned.file, known: policy.permissions.keys() };
  if (file !== undefined) return realmDifferences(requirements, readRealmFile(file), said);
  try {
    return await realmDifferences(requirements, await runningRealm(planned, token ?? ''), said);
  } catch (failure) {
    if (!(failure instanceof AdminApiError) && !(failure instanceof KeycloakException)) throw failure;
    const { message, cure = 'Check the realm file with --realm-file instead.' } = unreadableFinding(failure);
    throw new UsageError(cleansingOf(planned, token)(`${message} ${cure}`.trim()));
  }
}

async function runningRealm({ applications, issuer }: Planned, token: string): Promise<RealmSnapshot> {
  const issuers = applications.flatMap(({ subject }) => subject.keycloak.issuers);
  const at = issuers.find((each) => each.issuer === issuer);
  if (at === undefined)
    throw new UsageError(`no module of this project is at ${issuer}. Run the command in the folder of such a module`);
  return readRealm(new AdminApi(at.fetch.apart('realm_check'), at.realmUrl, token));
}

function cleansingOf({ applications }: Planned, token: string | undefined): (text: string) => string {
  const issuers = applications.flatMap(({ subject }) => subject.keycloak.issuers);
  return (text) =>
    issuers.reduce(
      (cleansed, { checkup }) => checkup.cleanse(cleansed),
      withoutSecrets(text, token === undefined ? [] : [token]),
    );
}
