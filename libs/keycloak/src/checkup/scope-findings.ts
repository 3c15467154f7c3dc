/** Scope findings: whether a token for a next service would be granted, tried with a token of this service's own. */
import type { GrantedToken } from '../authorization-server/own-token-probe.js';
import { BearerError } from '../protocol/bearer-error.js';
import { Refusal } from '../protocol/refusal.js';
import type { CheckupParts, RegisteredService } from './checkup-parts.js';
import { error, note, ok, unseen, warning, type Finding } from './finding.js';
import { failed } from './server-findings.js';

/** What the findings of one service are about. */
interface Question extends CheckupParts {
  readonly service: RegisteredService;
  /** Scopes that the realm has, as far as it says (RFC 8414 `scopes_supported`). */
  readonly knownScopes: readonly string[] | undefined;
  readonly hasServiceAccount: boolean;
}

export async function scopeFindings(question: Question): Promise<Finding[]> {
  const { service } = question;
  const { scopes, name } = service;
  const exists = await audienceFinding(question);
  if (exists.level === 'error') return [exists];
  if (scopes === undefined) {
    const cure = `Give \`scopes\` where ${name} is registered: the scopes that calls ask for.`;
    return [exists, note('scope', `No scopes are declared for ${name}, so none was tried.`, cure)];
  }
  const findings: Finding[] = [exists];
  for (const scope of scopes.onBehalfOf) findings.push(await onBehalfOf(question, scope));
  for (const scope of scopes.asSelf) findings.push(...(await asSelf(question, scope)));
  return findings;
}

/** By an exchange for which no scope is asked: an audience that exists is then merely not available. */
async function audienceFinding(question: Question): Promise<Finding> {
  const { service, options, probe, hasServiceAccount } = question;
  const { audience, name } = service;
  const exists = ok('next_service', `${name}: its audience ${audience} is a client of the realm.`);
  if (!hasServiceAccount) {
    return unseen('next_service', `${name}: calls to it can't be tried without a service account.`);
  }
  if (service.scopes?.isByKind === true && service.scopes.onBehalfOf.length === 0) {
    return note('next_service', `${name}: nothing is asked on behalf of callers, so no exchange was tried.`);
  }
  try {
    await probe.exchange('', audience);
    return exists;
  } catch (failure) {
    if (isNotAvailable(failure)) return exists;
    const isUnknown = failure instanceof Refusal && failure.reason === 'answered_400_invalid_client';
    return failed(failure, 'next_service', (said) =>
      isUnknown
        ? [
            `${name}: its audience ${audience} is no client of the realm, or one that is disabled: Keycloak answers ${said}.`,
            `Compare \`audience\` where ${name} is registered with the client ids of the realm, or enable the client.`,
          ]
        : [
            `${name}: ${options.clientId} can't exchange tokens: Keycloak answers ${said}.`,
            `Switch on "Standard token exchange" at the client ${options.clientId} (Capability config).`,
          ],
    );
  }
}

async function onBehalfOf(question: Question, scope: string): Promise<Finding> {
  const { service, probe, hasServiceAccount } = question;
  const { audience } = service;
  const about = `${scope} on behalf of callers, for ${audience}`;
  if (!hasServiceAccount) return untried(about);
  try {
    return granted(about, audience, await probe.exchange(scope, audience));
  } catch (failure) {
    if (!isNotAvailable(failure)) return refused(question, scope, failure);
  }
  try {
    const { scope: given, audiences } = await probe.exchange(scope);
    return given.includes(scope) ? misdirected(about, scope, audience, audiences) : unseenMapper(question, about);
  } catch (failure) {
    return refused(question, scope, failure);
  }
}

async function asSelf(question: Question, scope: string): Promise<Finding[]> {
  const { service, probe, options, hasServiceAccount } = question;
  const { audience, scopes } = service;
  const about = `${scope} as ${options.clientId} itself, for ${audience}`;
  if (!hasServiceAccount) {
    return scopes?.isByKind === true
      ? [
          error(
            'scope',
            `${about}: there is no service account.`,
            `Switch on "Service account roles" at the client ${options.clientId}.`,
          ),
        ]
      : [];
  }
  try {
    const token = await probe.ownToken(scope);
    if (token.scope.includes(scope)) return [granted(about, audience, token)];
  } catch (failure) {
    return [refused(question, scope, failure)];
  }
  const says = `${about}: the service account of ${options.clientId} does not get it`;
  return [
    scopes?.isByKind === true
      ? error(
          'scope',
          `${says}.`,
          `Give the service account a role that the client scope ${scope} is mapped to, and see that the scope has "Include in token scope".`,
        )
      : note('scope', `${says}, which matters only if it calls asSelf('${scope}').`),
  ];
}

/** A token that was granted is for one service: more would let a stolen one open others. */
function granted(about: string, audience: string, { audiences }: GrantedToken): Finding {
  if (!audiences.includes(audience)) return misdirected(about, about.split(' ', 1)[0] ?? '', audience, audiences);
  const others = audiences.filter((one) => one !== audience);
  if (others.length === 0) return ok('scope', `${about}: granted, and for nobody else.`);
  return warning(
    'scope',
    `${about}: the token is good at ${others.join(', ')} too, so a stolen one opens them.`,
    `Leave one audience mapper at each client scope, and "Full scope allowed" off at the client.`,
  );
}

function misdirected(about: string, scope: string, audience: string, found: readonly string[]): Finding {
  if (found.length === 0) {
    return error(
      'scope',
      `${about}: the scope is granted, but its token names no audience: the client scope has no audience mapper.`,
      `Add a mapper of the type Audience to the client scope ${scope}, with the client ${audience}.`,
    );
  }
  return error(
    'scope',
    `${about}: the token of this scope is for ${found.join(', ')}.`,
    `Mend \`audience\` where the service is registered, or the audience mapper of the client scope ${scope}.`,
  );
}

function refused({ options, service, knownScopes }: Question, scope: string, failure: unknown): Finding {
  const isScope = failure instanceof Refusal && failure.reason === 'answered_400_invalid_scope';
  if (!isScope) {
    return failed(failure, 'scope', (said) => [
      `${scope} for ${service.audience}: Keycloak answers ${said}.`,
      'Do what Keycloak says; docs/operations.md lists the reasons.',
    ]);
  }
  if (knownScopes !== undefined && !knownScopes.includes(scope)) {
    return error(
      'scope',
      `${scope} is no client scope of the realm.`,
      'Mend its spelling, or create the client scope.',
    );
  }
  return error(
    'scope',
    `${scope} is not assigned to ${options.clientId}, so it may not ask for it.`,
    `Add it at the client ${options.clientId} (Client scopes), as optional.`,
  );
}

/** Without the permission its own token tells nothing of the mapper. */
function unseenMapper({ options }: Question, about: string): Finding {
  return unseen(
    'scope',
    `${about}: may be asked for. Whether its audience mapper is right can't be seen by the service account of ${options.clientId}, which has no role for it.`,
  );
}

const untried = (about: string): Finding => unseen('scope', `${about}: not tried.`);

const isNotAvailable = (failure: unknown): boolean =>
  failure instanceof BearerError && failure.code === 'insufficient_scope';
