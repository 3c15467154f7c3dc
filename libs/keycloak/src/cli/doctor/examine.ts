import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../caching/clock.js';
import { note, type Finding, type GrantedCall } from '../../checkup/finding.js';
import { withoutSecrets } from '../../protocol/loggable-text.js';
import { AdminApi } from '../administrator/admin-api.js';
import { unreadableFinding } from '../administrator/unreadable-realm.js';
import type { Checkup } from '../../checkup/checkup.js';
import type { ComposedIssuer } from '../../module/compose-issuer.js';
import type { ApplicationSubject, GuardedHandler } from '../application/application-subject.js';
import { enforcementFindings } from './enforcement-findings.js';
import { feedFindings } from './feed-findings.js';
import { administratorClockFinding } from './administrator-clock.js';
import { ownClientIdFindings } from './client-id-findings.js';
import { clientFindings } from './client-findings.js';
import { permittedCalls } from '../administrator/permitted-calls.js';
import { realmWideFindings } from './realm-findings.js';
import { unknownPermissions, unknownScopes } from './known-scope-findings.js';
import { handlerFindings } from './handler-findings.js';
import { NO_POLICY, type PermissionPolicy } from '../policy/permission-policy.js';
import type { Examination } from '../report.js';
import { readRealm } from '../administrator/realm-snapshot.js';
import { signalRealmFindings } from './signal-findings.js';

/** Never throws because of an answer of Keycloak or a service. */
export async function examine(
  subject: ApplicationSubject,
  adminToken: string | undefined,
  policy: PermissionPolicy = NO_POLICY,
): Promise<Examination> {
  const { issuers } = subject.keycloak;
  const cleanse = (text: string): string =>
    issuers.reduce(
      (cleansed, { checkup }) => checkup.cleanse(cleansed),
      adminToken === undefined ? text : withoutSecrets(text, [adminToken]),
    );
  const { findings, permittedCalls: calls } = await lookAtAll(subject, adminToken, policy);
  return {
    findings: distinct(findings.map((finding) => ({ ...finding, message: cleanse(finding.message) }))),
    ...(calls === undefined
      ? {}
      : {
          permittedCalls: calls.map((call) => ({
            ...call,
            client: cleanse(call.client),
            audience: cleanse(call.audience),
            scopes: call.scopes.map(cleanse),
          })),
        }),
  };
}

async function lookAtAll(
  subject: ApplicationSubject,
  adminToken: string | undefined,
  policy: PermissionPolicy,
): Promise<Examination> {
  const [own, ...others] = subject.keycloak.issuers;
  const examined = await lookAtOwn(own, subject, adminToken, policy);
  if (others.length === 0) return examined;
  const findings = [ofIssuer(own, examined.findings)];
  for (const other of others) findings.push(ofIssuer(other, await lookAtOther(other, adminToken)));
  return { ...examined, findings: findings.flat() };
}

const ofIssuer = ({ issuer }: ComposedIssuer, findings: readonly Finding[]): readonly Finding[] =>
  findings.map((finding) => ({ ...finding, issuer }));

/** The administrator's token of the first issuer is never sent to another issuer. */
async function lookAtOther({ checkup }: ComposedIssuer, adminToken: string | undefined): Promise<readonly Finding[]> {
  const findings = [...(await runCheckup(checkup)), ...(await checkup.reach()), ...(await unknownScopes(checkup))];
  return adminToken === undefined
    ? findings
    : [
        ...findings,
        note('administrator', 'Nothing was read as an administrator, because --admin reads only the first issuer.'),
      ];
}

const PAUSE_MS = 1000;

/**
 * Asks a second time if Keycloak gave no usable answer: a busy machine can cause one time-out. Services have the same
 * time limit, but their callers decide whether to ask again.
 */
async function runCheckup(checkup: Checkup): Promise<readonly Finding[]> {
  const findings = await checkup.run();
  if (!findings.some(({ isUnreachable }) => isUnreachable === true)) return findings;
  await sleep(PAUSE_MS);
  return checkup.run();
}

async function lookAtOwn(
  own: ComposedIssuer,
  subject: ApplicationSubject,
  adminToken: string | undefined,
  policy: PermissionPolicy,
): Promise<Examination> {
  const { checkup } = own;
  const findings = [
    ...(await runCheckup(checkup)),
    ...(await checkup.reach()),
    ...enforcementFindings(subject),
    ...notLookedAt(subject),
  ];
  const isReached = findings.some(({ check, level }) => check === 'address' && level === 'ok');
  const { profile } = checkup.options;
  if (isReached && profile === 'keycloak') {
    findings.push(...(await unknownPermissions(checkup, subject)), ...(await unknownScopes(checkup)));
    findings.push(...(await ownClientIdFindings(checkup, subject.handlers)));
  }
  findings.push(...(await feedFindings(own, findings)));
  if (adminToken === undefined) return { findings };
  if (profile !== 'keycloak') {
    const why = `Nothing was read as an administrator: --admin needs Keycloak's admin API, and profile is ${profile}.`;
    return { findings: [...findings, note('administrator', why)] };
  }
  if (!isReached) {
    return {
      findings: [...findings, note('administrator', 'The realm was not read, because Keycloak is unreachable.')],
    };
  }
  try {
    const granted = findings.flatMap((finding) => finding.granted ?? []);
    const { findings: ofRealm, permittedCalls: calls } = await examineRealm(own, subject.handlers, adminToken, {
      granted,
      policy,
    });
    const others = findings.filter(({ needsAdministrator }) => needsAdministrator !== true);
    return { findings: [...others, ...ofRealm], permittedCalls: calls };
  } catch (failure) {
    return { findings: [...findings, unreadableFinding(failure)] };
  }
}

async function examineRealm(
  own: ComposedIssuer,
  handlers: readonly GuardedHandler[],
  adminToken: string,
  { granted, policy }: { readonly granted: readonly GrantedCall[]; readonly policy: PermissionPolicy },
): Promise<Required<Examination>> {
  const { checkup, fetch } = own;
  const realm = await readRealm(new AdminApi(fetch.apart('doctor'), checkup.options.realmUrl, adminToken));
  const findings = [
    ...(await realmWideFindings(realm, checkup)),
    ...(await clientFindings(realm, checkup, granted, policy)),
    ...(await handlerFindings(realm, checkup, handlers, policy)),
    ...(await signalRealmFindings(realm, own)),
  ];
  const { clockToleranceSeconds } = checkup.options;
  const clock = administratorClockFinding(adminToken, systemClock.epochSeconds(), clockToleranceSeconds);
  if (clock !== undefined) findings.push(clock);
  return { findings, permittedCalls: permittedCalls(realm) };
}

/** A handler may be closed on purpose, so the level is `note`. */
const notLookedAt = ({ enforcement, handlers, notSeen }: ApplicationSubject): Finding[] => [
  ...handlers
    .filter(({ isClosed }) => isClosed)
    .map(({ label }) =>
      note(
        'route',
        `${label} is closed: no access decorator opens it, so every request ${enforcement?.mode === 'observe' ? 'would be' : 'is'} refused.`,
      ),
    ),
  ...notSeen.map((name) => note('next_service', `${name} is registered per request, so it was not checked.`)),
];

const distinct = (findings: readonly Finding[]): Finding[] =>
  findings.filter(
    ({ message, issuer }, at) =>
      findings.findIndex((other) => other.message === message && other.issuer === issuer) === at,
  );
