import {
  AttackNotRun,
  attempt,
  isAccepted,
  isRefused,
  presentUntilRefused,
  tokenInWords,
  type AttackAnswer,
  type Attempt,
  type KnownToken,
  type Presented,
  type ThrowAwayUser,
} from 'demo';
import { DEMO_CLI } from './demo-cli.js';
import type { Attacker, AttackTools } from './attack-tools.js';

/** With a healthy feed, a service refuses the token within the poll interval plus the time of one call. */
const FEED_SECONDS = 3;
const GRACE_SECONDS = 2;
/** The maximum time of the attack, since a browser waits for the result. */
const MAX_WAIT_SECONDS = 20;

const EVERY_MS = 200;

const SERVICE_A = 'Service A';

export const disabledUser: Attacker = async (tools) => {
  const { helpdesk, windowSeconds } = tools;
  if (windowSeconds + GRACE_SECONDS > MAX_WAIT_SECONDS) {
    const words = `A service may accept it for ${windowSeconds} s (INTROSPECTION_TTL_SECONDS), and this attack does not wait that long.`;
    throw new AttackNotRun(words);
  }
  return helpdesk.withUser('order-manager', (user) => disable(user, tools));
};

async function disable(user: ThrowAwayUser, tools: AttackTools): Promise<Attempt> {
  const { windowSeconds } = tools;
  const [token, known] = await tokensOf(user, tools);
  const before = await Promise.all(known.map(({ present }) => present()));
  const fromMs = Date.now();
  await user.disable();
  const presented = await Promise.all(
    known.map(({ service, present }) => {
      const hasFeed = service === SERVICE_A && tools.receivesRevocations;
      const withinSeconds = hasFeed ? FEED_SECONDS : windowSeconds + GRACE_SECONDS;
      return presentUntilRefused(present, { everyMs: EVERY_MS, untilMs: Date.now() + withinSeconds * 1000 });
    }),
  );
  const made = await attempt({
    attack: [
      'Its tokens, to all three services after Keycloak disabled the user',
      Promise.resolve(
        worst(
          presented.map(({ answer }) => answer),
          isInactive,
        ),
      ),
    ],
    control: ['The same tokens, to all three services before that', Promise.resolve(worst(before, isAccepted))],
    token,
  });
  return { ...made, refusedAfter: known.flatMap(({ service }, at) => lateness(service, presented[at], fromMs)) };
}

async function tokensOf(
  { username, password }: ThrowAwayUser,
  { keycloak, serviceA, verifier, knownTokens }: AttackTools,
): Promise<readonly [token: string, known: readonly KnownToken[]]> {
  const form = { grant_type: 'password', username, password, scope: 'orders.read' };
  const { accessToken: token } = await keycloak.tokens(form, DEMO_CLI);
  // In a run of the chain, each of the three services receives a token of the user.
  const ran = await serviceA.get('/run-service-b', token);
  if (!isAccepted(ran)) throw new AttackNotRun(`The chain did not run for the new user (${ran.status}).`);
  const caller = await verifier.verify(token);
  const { expiresAt } = tokenInWords(token);
  const atA: KnownToken = { service: SERVICE_A, expiresAt, present: () => serviceA.whoami(token) };
  return [token, [atA, await knownTokens.atB(caller, 'orders.approve'), await knownTokens.atC(caller)]];
}

const isInactive = ({ status, reason }: AttackAnswer): boolean => status === 401 && reason === 'inactive';

function worst(answers: readonly AttackAnswer[], isDue: (answer: AttackAnswer) => boolean): AttackAnswer {
  const wrong = answers.filter((answer) => !isDue(answer));
  const [first = { status: 0, reason: 'no answer' }] = answers;
  return wrong.find(isAccepted) ?? wrong[0] ?? first;
}

function lateness(service: string, presented: Presented | undefined, fromMs: number) {
  if (presented === undefined || !isRefused(presented.answer)) return [];
  return [{ service, seconds: Math.round((presented.atMs - fromMs) / 100) / 10 }];
}
