import type { TraceMetric } from 'demo';
import { PARTIES, partyNamed, type Party } from './parties.js';

export interface StoryStep {
  readonly from: Party;
  readonly to: Party;
  readonly words: string;
  readonly mark: 'asked Keycloak' | 'waited' | 'checked here' | 'from cache' | 'refused' | undefined;
  readonly duration: string | undefined;
}

export interface ChainStory {
  readonly steps: readonly StoryStep[];
  readonly summary: string;
}

const BROWSER = PARTIES.browser;
const KEYCLOAK = PARTIES.keycloak;

/** Maps a caller to the called service, because token metrics name only the caller. */
const NEXT: Readonly<Record<string, Party>> = { 'service-a': PARTIES['service-b'], 'service-b': PARTIES['service-c'] };

type UntimedStep = Omit<StoryStep, 'duration'>;

export function chainStory(metrics: readonly TraceMetric[]): ChainStory {
  const first: StoryStep = {
    from: BROWSER,
    to: PARTIES['service-a'],
    words: 'The browser asks Service A to run the chain.',
    mark: undefined,
    duration: undefined,
  };
  const steps = [first, ...metrics.flatMap((metric, at) => stepsOf(metric, metrics, at))];
  return { steps, summary: summaryOf(steps) };
}

function stepsOf(metric: TraceMetric, metrics: readonly TraceMetric[], at: number): StoryStep[] {
  const actor = serviceNamed(metric.service);
  if (actor === undefined) return [];
  switch (metric.step) {
    case 'introspection':
      return [{ ...introspection(actor, metric.description), duration: durationOf(metric) }];
    case 'jwt':
      return [{ ...signature(actor, metric.description), duration: durationOf(metric) }];
    case 'client-credentials':
    case 'token-exchange':
      return [{ ...token(actor, metric, metrics[at + 1]), duration: durationOf(metric) }];
    case 'call':
      return calls(actor, metric, metrics.slice(at + 1));
    case 'refused':
      return [refusal(actor, metric, metrics[at - 1])];
    case 'total':
      return ends(actor, metrics, at);
  }
}

function introspection(actor: Party, outcome: string | undefined): UntimedStep {
  if (outcome === 'cached') {
    const words = `${actor.label} has seen this token: Keycloak confirmed it a moment ago.`;
    return { from: actor, to: actor, words, mark: 'from cache' };
  }
  if (outcome === 'joined') {
    const words = `${actor.label} waits while another request asks Keycloak about the same token.`;
    return { from: actor, to: KEYCLOAK, words, mark: 'waited' };
  }
  const words = `${actor.label} asks Keycloak whether the token is valid.`;
  return { from: actor, to: KEYCLOAK, words, mark: 'asked Keycloak' };
}

function signature(actor: Party, outcome: string | undefined): UntimedStep {
  if (outcome === 'cached') {
    const words = `${actor.label} has seen this token, and checked its signature then.`;
    return { from: actor, to: actor, words, mark: 'from cache' };
  }
  if (outcome === 'joined') {
    const words = `${actor.label} waits while the signature of the same token is checked for another request.`;
    return { from: actor, to: actor, words, mark: 'waited' };
  }
  const words = `${actor.label} checks the token's signature by Keycloak's public keys.`;
  return { from: actor, to: actor, words, mark: 'checked here' };
}

function token(actor: Party, { step, description }: TraceMetric, following: TraceMetric | undefined): UntimedStep {
  const next = NEXT[actor.name]?.label ?? 'the next service';
  const isOwn = step === 'client-credentials';
  if (description === 'reused') {
    const words =
      following?.service === actor.name && following.step === 'refused'
        ? `${actor.label} remembers that Keycloak refused a token for ${next} a moment ago.`
        : `${actor.label} has ${isOwn ? 'its own' : 'the exchanged'} token for ${next} in its cache.`;
    return { from: actor, to: actor, words, mark: 'from cache' };
  }
  if (description === 'joined') {
    const words = `${actor.label} waits for the token for ${next} that another request asks Keycloak for.`;
    return { from: actor, to: KEYCLOAK, words, mark: 'waited' };
  }
  const words = isOwn
    ? `${actor.label} asks Keycloak for its own token that opens ${next} and nothing else.`
    : `${actor.label} asks Keycloak to exchange the caller's token for one that opens ${next} and nothing else.`;
  return { from: actor, to: KEYCLOAK, words, mark: 'asked Keycloak' };
}

/** Ignores the browser and Keycloak, since an honest service never names these two parties. */
function serviceNamed(name: string): Party | undefined {
  const party = partyNamed(name);
  return party === BROWSER || party === KEYCLOAK ? undefined : party;
}

const called = ({ description = '' }: TraceMetric): Party | undefined => serviceNamed(description.split(' ')[0] ?? '');
const statusOf = ({ description = '' }: TraceMetric): string => description.split(' ')[1] ?? 'failed';

function calls(actor: Party, metric: TraceMetric, later: readonly TraceMetric[]): StoryStep[] {
  const next = called(metric);
  if (next === undefined) return [];
  const words = `${actor.label} calls ${next.label} with the token made for it.`;
  const call: StoryStep = { from: actor, to: next, words, mark: undefined, duration: undefined };
  // A service that reports steps also reports `total`, unless its metrics were truncated.
  const reportsItsAnswer = later.some(({ service, step }) => step === 'total' && service === next.name);
  return reportsItsAnswer ? [call] : [call, answer(next, actor, metric)];
}

function answer(from: Party, to: Party, call: TraceMetric): StoryStep {
  const status = statusOf(call);
  const words =
    status === 'failed' ? `${from.label} gives no answer.` : `${from.label} answers ${to.label} with ${status}.`;
  return { from, to, words, mark: status.startsWith('2') ? undefined : 'refused', duration: durationOf(call) };
}

function refusal(actor: Party, { service, description = '' }: TraceMetric, before: TraceMetric | undefined): StoryStep {
  const reason = REFUSALS[description] ?? description;
  const wantedToken =
    before?.service === service && (before.step === 'token-exchange' || before.step === 'client-credentials');
  const byKeycloak = wantedToken && before.description !== 'reused' && GIVEN_BY_KEYCLOAK.has(description);
  const from = byKeycloak ? KEYCLOAK : actor;
  return { from, to: actor, words: `${from.label} refuses: ${reason}.`, mark: 'refused', duration: undefined };
}

/** `total` shows that a service answered its caller, or that Service A answered the browser. */
function ends(actor: Party, metrics: readonly TraceMetric[], at: number): StoryStep[] {
  const call = metrics.findLast((metric, index) => index < at && metric.step === 'call' && called(metric) === actor);
  const caller = call === undefined ? undefined : serviceNamed(call.service);
  if (call !== undefined && caller !== undefined) return [answer(actor, caller, call)];
  if (actor !== PARTIES['service-a']) return [];
  const isRefused = metrics[at - 1]?.step === 'refused';
  const words = isRefused ? `${actor.label} tells the browser why.` : `${actor.label} answers the browser.`;
  const duration = durationOf(metrics[at] ?? {});
  return [{ from: actor, to: BROWSER, words, mark: isRefused ? 'refused' : undefined, duration }];
}

const REFUSALS: Readonly<Record<string, string>> = {
  insufficient_scope: 'the caller may not do this',
  insufficient_user_authentication: 'the user has to log in again for this',
  invalid_token: 'the token is not valid here',
  missing_token: 'the request has no token and no session',
  client_not_allowed: 'this client may not call it',
  authorization_server_refused: 'Keycloak refused the service itself',
  authorization_server_unavailable: 'Keycloak did not answer',
  service_unavailable: 'the next service cannot be reached',
  service_timeout: 'the next service did not answer in time',
  service_refused: 'the next service refused its token',
  service_failed: 'the next service failed',
};

const GIVEN_BY_KEYCLOAK: ReadonlySet<string> = new Set([
  'insufficient_scope',
  'invalid_token',
  'authorization_server_refused',
]);

function durationOf({ durationMs, description }: Partial<TraceMetric>): string | undefined {
  if (durationMs === undefined || (durationMs < 1 && (description === 'cached' || description === 'reused'))) {
    return undefined;
  }
  if (durationMs >= 1000) return `${(durationMs / 1000).toFixed(1)} s`;
  return `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`;
}

function summaryOf(steps: readonly StoryStep[]): string {
  const asked = steps.filter(({ mark }) => mark === 'asked Keycloak').length;
  if (asked > 0) return `${asked === 1 ? 'One' : asked} of these steps asked Keycloak.`;
  const marks = new Set(steps.map(({ mark }) => mark));
  if (marks.has('waited')) return 'None of these steps asked Keycloak: they waited for the answer to another request.';
  return marks.has('from cache') && !marks.has('checked here')
    ? 'None of these steps asked Keycloak: every token and every answer was in a cache.'
    : 'None of these steps asked Keycloak.';
}
