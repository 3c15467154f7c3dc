import { figure, verdict } from '../report.mjs';
import { REPLICAS } from './outage-fleets.mjs';
import { KINDS, TOKENS } from './outage-tokens.mjs';

const WINDOWS = [1, 5, 10];

/** The shares of the outage. */
export function served(fleet, answers, say) {
  const { downMs, upMs } = fleet;
  const seconds = Math.round((upMs - downMs) / 1000);
  const during = answers.filter(({ sentMs }) => sentMs >= downMs && sentMs < upMs);
  const figures = KINDS.map((kind) => {
    const ofKind = during.filter((answer) => answer.kind === kind.name);
    const good = ofKind.filter(({ status }) => status === 200);
    const last = Math.max(...good.map(({ sentMs }) => sentMs - downMs)) / 1000;
    const note = `${good.length > 0 ? `the last after ${last.toFixed(0)} s` : 'never'}; else ${inWords(ofKind)}`;
    const share = (good.length / ofKind.length) * 100;
    say(`${fleet.name}: ${kind.title}: ${share.toFixed(1)} %, ${note}`);
    const must = kind.name === 'ended' && !fleet.trustsSignatures ? { exactly: 0 } : undefined;
    return figure(`${fleet.name}: ${kind.title}: served in ${seconds} s`, [share], { unit: '%', note, must });
  });
  const isGood = Object.fromEntries(KINDS.map((kind) => [kind.name, kind.isGood]));
  const blamed = during.filter(({ kind, status }) => isGood[kind] && status >= 400 && status < 500);
  const seen = blamed.length === 0 ? 'none' : inWords(blamed);
  return [...figures, verdict(`${fleet.name}: good tokens that get 4xx`, blamed.length === 0, seen, 'none')];
}

/** The calls and answers since Keycloak is back. */
export function returned({ name, backMs, env }, answers, calls) {
  const after = answers.filter(({ sentMs }) => sentMs >= backMs);
  const lastOf = (some) => Math.max(0, ...some.map(({ sentMs }) => sentMs - backMs)) / 1000;
  const kinds = (isOne) => new Set(KINDS.filter(isOne).map((kind) => kind.name));
  const [good, ended] = [kinds(({ isGood }) => isGood), kinds(({ isLoggedOut }) => isLoggedOut)];
  const failed = after.filter(({ kind, status }) => good.has(kind) && status !== 200);
  const passed = after.filter(({ kind, status }) => ended.has(kind) && status === 200);
  const introspections = (seconds) => calls.filter(({ what, ms }) => isIntrospection(what) && ms < seconds * 1000);
  const texts = WINDOWS.map((seconds) => `${seconds} s: ${countsIn(calls.filter(({ ms }) => ms < seconds * 1000))}`);
  const most = Math.max(0, ...Object.values(times(introspections(1).map(({ what, hash }) => `${what} ${hash}`))));
  // With expired results, each replica tries whether Keycloak answers, past the shared cache.
  const mostOfOne = env.INTROSPECTION_STALE_IF_ERROR_SECONDS === undefined ? 1 : REPLICAS;
  return [
    figure(`${name}: back: introspections of one token by a service in the first second`, [most], {
      must: { atMost: mostOfOne },
    }),
    figure(`${name}: back: introspections in 5 s`, [introspections(5).length], {
      must: { atMost: mostIntrospections() },
      note: texts.join('; '),
    }),
    figure(`${name}: back: the last failure of a good token`, [lastOf(failed)], { unit: 's', note: inWords(failed) }),
    figure(`${name}: back: the last use of a token that was logged out`, [lastOf(passed)], { unit: 's' }),
  ];
}

/** An active result is cached for longer than 5 s, and an inactive result for 2 s. */
function mostIntrospections() {
  const each = KINDS.map(({ isGood, hops, name }) => (name === 'own' ? hops : TOKENS * hops * (isGood ? 1 : 3)));
  return each.reduce((sum, one) => sum + one, 0);
}

const isIntrospection = (what) => what.endsWith(' introspect');

const countsIn = (calls) => JSON.stringify(times(calls.map(({ what }) => what)));

function inWords(answers) {
  const refused = times(answers.filter(({ status }) => status !== 200).map(({ status, code }) => `${status} ${code}`));
  const most = Object.entries(refused).toSorted(([, a], [, b]) => b - a);
  return most.map(([what, count]) => `${count} × ${what}`).join(', ') || 'nothing';
}

function times(texts) {
  const counts = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
