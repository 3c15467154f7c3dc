import type { MeasuredSkew } from '../authorization-server/clock-skew.js';
import { junkToken } from '../authorization-server/junk-token.js';
import type { GrantedToken } from '../authorization-server/own-token-probe.js';
import { connectionHint, isCertificateFailure } from '../protocol/connection-failures.js';
import { failureHint } from '../protocol/failure-hints.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { realmRefusal } from './realm-refusal.js';
import { secretWeakness } from './secret-weakness.js';
import type { CheckupParts } from './checkup-parts.js';
import { error, note, ok, warning, type Check, type Finding } from './finding.js';
import { wordsOf } from './refusal-words.js';

export async function realmFindings(
  { options, metadata, isProduction, proxy }: CheckupParts,
  signal: AbortSignal | undefined,
): Promise<Finding[]> {
  const { realmUrl, issuer } = options;
  try {
    await metadata.refresh(signal);
  } catch (failure) {
    if (!(failure instanceof KeycloakException)) throw failure;
    const finding = unreached(failure, realmUrl, proxy);
    const isThere = failure.reason === 'issuer_mismatch';
    return isThere ? [answers(realmUrl, proxy), finding] : [finding];
  }
  return [
    answers(realmUrl, proxy),
    encryptionFinding(options, isProduction),
    ok('issuer', `The issuer of the realm is ${issuer}, as configured.`),
  ];
}

const answers = (realmUrl: string, proxy: string | undefined): Finding =>
  ok('address', `Keycloak answers at ${realmUrl}${through(proxy)}.`);

export const through = (proxy: string | undefined): string =>
  proxy === undefined ? '' : ` through the proxy ${proxy}`;

export function encryptionFinding({ realmUrl, tls }: CheckupParts['options'], isProduction: boolean): Finding {
  const trusted = tls.caFile === undefined ? '' : ', with a certificate of an authority in tls.caFile';
  if (realmUrl.startsWith('https:')) return ok('tls', `The connection to Keycloak is encrypted${trusted}.`);
  const message = `The connection to Keycloak is not encrypted: secrets and tokens go to ${new URL(realmUrl).origin} in clear text.`;
  const cure = 'In production, use https: in issuer and internalServerUrl, and remove allowInsecureRequests.';
  return isProduction ? warning('tls', message, cure) : note('tls', message, cure);
}

function unreached(failure: KeycloakException, realmUrl: string, proxy: string | undefined): Finding {
  const { reason, code } = failure;
  const said = wordsOf(failure);
  const ofRealm = realmRefusal(failure);
  if (ofRealm !== undefined) return ofRealm;
  if (reason === 'issuer_mismatch') {
    const { configured, found } = failure.fields;
    return error(
      'issuer',
      `The realm at ${realmUrl} has the issuer ${String(found)}, but ${String(configured)} is configured.`,
      'Correct issuer here, or the Frontend URL of the realm (Realm settings, General) or KC_HOSTNAME at Keycloak. If the two URLs differ on purpose, set issuer to the name that the realm uses, and internalServerUrl to the address for requests.',
    );
  }
  if (reason === 'realm_not_found') {
    return error(
      'realm',
      `Keycloak has no realm at ${realmUrl}.`,
      'Compare the realm in issuer and internalServerUrl with Keycloak.',
    );
  }
  if (isCertificateFailure(reason)) {
    return error('tls', `The certificate of ${realmUrl} is not trusted: ${said}.`, connectionHint(reason).hint ?? '');
  }
  if (/SSL|TLS/.test(String(failure.fields['detail'] ?? ''))) {
    return error('tls', `${realmUrl} does not speak TLS: ${said}.`, 'Compare https: and the port with Keycloak.');
  }
  if (code === 'authorization_server_refused') {
    const [words, cure] = discoveryWords(realmUrl, said);
    return error('discovery', words, failureHint(failure) ?? cure);
  }
  // A temporary failure says nothing about the settings.
  return NOT_OF_KEYCLOAK.test(reason)
    ? { ...error('discovery', ...discoveryWords(realmUrl, said)), isUnreachable: true }
    : {
        ...error(
          'address',
          `Keycloak is unreachable at ${realmUrl}${through(proxy)}: ${said}.`,
          connectionHint(reason).hint ?? (reason === 'timeout' ? SLOW : `Start Keycloak, or ${CORRECT_ADDRESS}`),
        ),
        isUnreachable: true,
      };
}

const CORRECT_ADDRESS =
  'correct the host name and port in issuer or internalServerUrl. Look for a firewall in between.';

const SLOW = `Check whether Keycloak is starting or overloaded. If it always needs longer, raise timeoutMs. Otherwise ${CORRECT_ADDRESS}`;

const NOT_OF_KEYCLOAK = /^(answer_not_|answer_too_large|nonsense_answer|answered_[23])/;

const discoveryWords = (realmUrl: string, said: string): [string, string] => [
  `${realmUrl} does not return the discovery document of this realm: ${said}.`,
  'Look for a proxy or a login page in front of Keycloak, and check issuer and internalServerUrl.',
];

export async function credentialsFinding(
  { options, introspection }: CheckupParts,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  const { clientId } = options;
  try {
    await introspection.introspect(junkToken(options.profile), signal);
    return ok('credentials', `Keycloak accepts the credentials of ${clientId} and lets it introspect tokens.`);
  } catch (failure) {
    return failed(failure, 'credentials', (said, refusal) => [
      `Keycloak refuses the credentials of ${clientId}: ${said}.`,
      is401(refusal)
        ? `Compare clientId and clientSecret with the client in Keycloak (Credentials). Keycloak says "Client authentication failed." if the secret is wrong, and "Invalid client or Invalid client credentials" if the client is disabled or does not exist.`
        : (failureHint(refusal) ?? ''),
    ]);
  }
}

const is401 = ({ reason }: KeycloakException): boolean => reason.startsWith('answered_401');

export async function ownTokenFinding({
  options,
  probe,
}: CheckupParts): Promise<{ finding: Finding; token: GrantedToken | undefined }> {
  const { clientId } = options;
  try {
    const token = await probe.ownToken('');
    return { finding: ok('service_account', `${clientId} has a service account.`), token };
  } catch (failure) {
    const finding = failed(failure, 'service_account', (said, refusal) => [
      `${clientId} gets no token in its own name: ${said}.`,
      is401(refusal)
        ? `If this service calls others in its own name (asService), switch on "Service account roles" at the client ${clientId}. Without a service account, doctor can't check its next services.`
        : (failureHint(refusal) ?? ''),
    ]);
    return { finding, token: undefined };
  }
}

export function clockFinding(measured: MeasuredSkew | undefined, toleranceSeconds: number): Finding {
  if (measured === undefined) {
    return note(
      'clock',
      "This machine's clock can't be compared with Keycloak's clock: Keycloak sends no time and no token.",
    );
  }
  const { aheadSeconds, by } = measured;
  const where = `${Math.abs(aheadSeconds)} s ${aheadSeconds < 0 ? 'behind' : 'ahead of'} Keycloak's, measured by ${by}`;
  if (Math.abs(aheadSeconds) > toleranceSeconds) {
    return error(
      'clock',
      `This machine's clock is ${where}; ${toleranceSeconds} s are tolerated (clockToleranceSeconds).`,
      'Set the clocks of both machines by NTP.',
    );
  }
  return ok('clock', `This machine's clock agrees with Keycloak's, within ${toleranceSeconds} s.`);
}

export async function secretFinding({ options, credential, isProduction }: CheckupParts): Promise<Finding> {
  const { clientId } = options;
  const shown = await credential();
  if (shown === undefined) {
    return error(
      'secret',
      `The credential of ${clientId} can't be read.`,
      'Read the log for the reason, and check the file or function that clientAuthentication names.',
    );
  }
  if (shown.kind === 'private_key') {
    return ok('secret', `${clientId} signs an assertion for each request (${shown.algorithm}, kid ${shown.keyId}).`);
  }
  if (shown.kind === 'assertion')
    return ok('secret', `${clientId} authenticates with an assertion that its platform signed.`);
  const weakness = secretWeakness({ clientId, clientSecret: shown.secret });
  if (weakness === undefined) {
    return ok('secret', `The secret of ${clientId} is long enough and is not a demo secret.`);
  }
  const message = `The secret of ${clientId} ${weakness.words}.`;
  const cure = 'In production, use a secret that Keycloak generated (the client, Credentials, Regenerate).';
  if (!isProduction) return note('secret', message, cure);
  return weakness.isPublished ? error('secret', message, cure) : warning('secret', message, cure);
}

export function lifetimeFinding({ options }: CheckupParts, { lifetimeSeconds }: GrantedToken): Finding {
  if (lifetimeSeconds === undefined)
    return note('lifetime', 'Keycloak does not say how long tokens of this service live.');
  const { minRemainingLifetimeSeconds, revocationRetentionSeconds } = options;
  const lives = `Tokens of this service live ${lifetimeSeconds} s`;
  if (lifetimeSeconds < 2 * minRemainingLifetimeSeconds) {
    return warning(
      'lifetime',
      `${lives}, less than twice minRemainingLifetimeSeconds (${minRemainingLifetimeSeconds} s), so each token is reused for only half its life.`,
      'Raise Access Token Lifespan of the realm or of this client, or lower minRemainingLifetimeSeconds.',
    );
  }
  if (lifetimeSeconds > revocationRetentionSeconds) {
    return warning(
      'lifetime',
      `${lives}, longer than a denial is kept (revocationRetentionSeconds, ${revocationRetentionSeconds} s).`,
      'Lower Access Token Lifespan, or raise revocationRetentionSeconds.',
    );
  }
  if (lifetimeSeconds > LONG_LIFETIME_SECONDS) {
    return warning(
      'lifetime',
      `${lives}. A stolen token is valid for that time, too.`,
      'Lower Access Token Lifespan to 60 to 300 s.',
    );
  }
  return ok('lifetime', `${lives}, which suits minRemainingLifetimeSeconds (${minRemainingLifetimeSeconds} s).`);
}

const LONG_LIFETIME_SECONDS = 3600;

export function failed(
  failure: unknown,
  check: Check,
  words: (said: string, failure: KeycloakException) => [string, string],
): Finding {
  if (!(failure instanceof KeycloakException)) throw failure;
  if (failure.code === 'authorization_server_unavailable') {
    const said = `Keycloak gives no usable answer: ${wordsOf(failure)}.`;
    return { ...error(check, said, 'Check that Keycloak is healthy, and try again.'), isUnreachable: true };
  }
  return realmRefusal(failure) ?? error(check, ...words(wordsOf(failure), failure));
}
