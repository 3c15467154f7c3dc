/** Tests token exchanges with this service's own token instead of a caller's token. */
import type { GrantedToken } from '../authorization-server/own-token-probe.js';
import type { InWhoseName } from '../client/declared-scopes.js';
import { failureHint } from '../protocol/failure-hints.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { audienceFinding, isNotAvailable, type Question } from './audience-finding.js';
import { error, note, ok, unseen, warning, type Finding } from './finding.js';
import { failed } from './server-findings.js';

interface Call {
  readonly inWhoseName: InWhoseName;
  readonly scope: string;
  readonly audience: string;
  readonly about: string;
}

export async function scopeFindings(question: Question): Promise<Finding[]> {
  const { scopes, name, audience } = question.service;
  const exists = await audienceFinding(question);
  if (exists.level === 'error') return [exists];
  if (scopes === undefined) {
    const cure = `Register ${name} with \`scopes\`: the scopes that calls to it request.`;
    return [exists, note('scope', `${name} is registered without scopes, so no scope was tried.`, cure)];
  }
  const itself = question.options.clientId;
  const ofCallers = scopes.onBehalfOf.map(async (scope) => {
    const about = `${scope} on behalf of callers, for ${audience}`;
    return onBehalfOf(question, { inWhoseName: 'onBehalfOf', scope, audience, about });
  });
  const ofItself = scopes.asService.map(async (scope) => {
    const about = `${scope} as ${itself} itself, for ${audience}`;
    return asService(question, { inWhoseName: 'asService', scope, audience, about });
  });
  return [exists, ...(await Promise.all([...ofCallers, ...ofItself]))];
}

async function onBehalfOf(question: Question, call: Call): Promise<Finding> {
  const { probe, hasServiceAccount } = question;
  const { scope, audience, about } = call;
  if (!hasServiceAccount) return unseen('scope', `${about}: not tried.`);
  try {
    const token = await probe.exchange(scope, audience);
    // If the token lacks the requested scope, another scope added the audience.
    return token.scope.includes(scope) ? granted(question, call, token) : unseenMapper(question, call);
  } catch (failure) {
    if (!isNotAvailable(failure)) return refused(question, call, failure);
  }
  try {
    const { scope: given, audiences } = await probe.exchange(scope);
    return given.includes(scope) ? misdirected(call, audiences) : unseenMapper(question, call);
  } catch (failure) {
    return refused(question, call, failure);
  }
}

async function asService(question: Question, call: Call): Promise<Finding> {
  const { service, probe, options, hasServiceAccount } = question;
  const { scope, about } = call;
  const isSurelyAsked = service.scopes?.isByKind === true;
  if (!hasServiceAccount) {
    const cure = `Switch on "Service account roles" at the client ${options.clientId}.`;
    return (isSurelyAsked ? error : note)('scope', `${about}: there is no service account.`, cure);
  }
  let token: GrantedToken;
  try {
    token = await probe.ownToken(scope);
  } catch (failure) {
    return refused(question, call, failure);
  }
  if (!token.scope.includes(scope)) return notGranted(call, options.clientId, isSurelyAsked);
  return token.audiences.length === 0 ? withoutAudience(question, call, token) : granted(question, call, token);
}

function notGranted({ scope, about }: Call, clientId: string, isSurelyAsked: boolean): Finding {
  const says = `${about}: the service account of ${clientId} does not get the scope`;
  return isSurelyAsked
    ? error(
        'scope',
        `${says}.`,
        `Give the service account a role that the client scope ${scope} is mapped to, and see that the scope has "Include in token scope". With --admin, doctor says which of the two is missing.`,
      )
    : note('scope', `${says}, which matters only if it calls asService('${scope}').`);
}

/** Only introspection shows the audiences of a lightweight token. */
async function withoutAudience(question: Question, call: Call, token: GrantedToken): Promise<Finding> {
  try {
    await question.probe.exchange(call.scope, call.audience);
    return granted(question, call, { ...token, audiences: [call.audience] });
  } catch (failure) {
    if (!isNotAvailable(failure)) return unseenMapper(question, call);
    const { about, scope, audience } = call;
    return {
      ...warning(
        'scope',
        `${about}: granted, but its token names no audience. Unless the token is lightweight, the client scope has no audience mapper.`,
        `Add a mapper of the type Audience to the client scope ${scope}, with the client ${audience}.`,
      ),
      needsAdministrator: true,
    };
  }
}

function granted({ options }: Question, call: Call, { scope: given, audiences }: GrantedToken): Finding {
  const { about, audience, scope, inWhoseName } = call;
  const unasked = given.filter((one) => one !== scope && !options.expectedDefaultScopes.includes(one));
  if (unasked.length > 0) {
    return error(
      'scope',
      `${about}: Keycloak adds ${unasked.join(', ')} unasked, so each such call fails (scope_not_asked_for).`,
      `Make it an optional client scope of ${options.clientId}, or name it in expectedDefaultScopes.`,
    );
  }
  if (audiences.length > 0 && !audiences.includes(audience)) return misdirected(call, audiences);
  const others = audiences.filter((one) => one !== audience);
  const grant = { scope, audience, inWhoseName };
  if (others.length === 0) return { ...ok('scope', `${about}: granted, for this audience only.`), granted: grant };
  const wide = warning(
    'scope',
    `${about}: the token is also valid at ${others.slice(0, 10).join(', ')}, so a stolen token opens them.`,
    `Keep one audience mapper in each client scope, and switch off "Full scope allowed" at the client.`,
  );
  return { ...wide, granted: grant };
}

function misdirected({ about, scope, audience }: Call, found: readonly string[]): Finding {
  if (found.length === 0) {
    return error(
      'scope',
      `${about}: the scope is granted, but its token names no audience. The client scope has no audience mapper.`,
      `Add a mapper of the type Audience to the client scope ${scope}, with the client ${audience}. If this client has lightweight tokens, also switch on "Add to lightweight access token" at the mapper.`,
    );
  }
  return error(
    'scope',
    `${about}: the token of this scope is for ${found.slice(0, 10).join(', ')}.`,
    `Correct \`audience\` where the service is registered, or the audience mapper of the client scope ${scope}.`,
  );
}

function refused({ options, knownScopes }: Question, { scope, audience }: Call, failure: unknown): Finding {
  const isScope = failure instanceof KeycloakException && failure.reason === 'answered_400_invalid_scope';
  if (!isScope) {
    return failed(failure, 'scope', (said, refusal) => [
      `${scope} for ${audience}: Keycloak answers ${said}.`,
      failureHint(refusal) ?? 'Follow the message of Keycloak. docs/operations.md lists the reasons.',
    ]);
  }
  if (knownScopes !== undefined && !knownScopes.includes(scope)) {
    return error(
      'scope',
      `The realm lists no client scope ${scope}, and ${options.clientId} may not ask for it.`,
      `Correct its spelling, or create the client scope and add it at the client ${options.clientId} (Client scopes), as optional.`,
    );
  }
  return error(
    'scope',
    `${scope} is not assigned to ${options.clientId}, so it may not ask for it.`,
    `Add it at the client ${options.clientId} (Client scopes), as optional. If that is not the client of this service, correct clientId instead.`,
  );
}

function unseenMapper({ options }: Question, { about }: Call): Finding {
  return unseen(
    'scope',
    `${about}: may be asked for. The audience mapper can't be checked, because the service account of ${options.clientId} does not get the scope itself.`,
  );
}
