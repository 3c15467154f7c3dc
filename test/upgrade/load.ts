import type { Answer } from '../chaos/verdicts.js';
import { OK } from '../support/steady-load.js';
import type { MixedReplicas, Subject } from './mixed-replicas.js';

export interface Session {
  readonly username: string;
  readonly cookie: string;
  readonly kind: string;
}

export interface Callers {
  readonly all: MixedReplicas;
  readonly alice: string;
  readonly denied: readonly Subject[];
  readonly sessions: readonly Session[];
  readonly isKept: (session: Session) => boolean;
}

export const visit = (all: MixedReplicas, url: string, path: string, { cookie }: Session): Promise<Answer> =>
  all.ask({ url: url + path, headers: { cookie }, page: true });

/** Whether a visitor without a session would get the same answer. */
export const isLoggedOut = ({ path, status, user }: Answer): boolean =>
  user === undefined && status === (path === '/' ? 200 : 401);

export const outcomeOf = ({ path, status, code, user }: Answer, expected: string): string =>
  status === 200 && user === expected ? OK : `${path}: ${status} ${code ?? ''} for ${user ?? 'nobody'}`;

/** An answer for another user, or a denied token that is accepted, is always a failure. */
export async function sendOne(number: number, { all, alice, denied, sessions, isKept }: Callers): Promise<string> {
  const url = all.services.urlOf('service-a');
  const [kind, at] = [number % 4, Math.floor(number / 4)];
  const bearer = (token = '') => ({ authorization: `Bearer ${token}` });
  const subject = denied[at % denied.length];
  const session = sessions[at % sessions.length];
  if (kind === 0)
    return outcomeOf(await all.ask({ url: `${url}/run-service-b`, headers: bearer(alice), page: true }), 'alice');
  if (kind === 1 && subject !== undefined) {
    const headers = bearer(subject.tokens['service-a']);
    const { status, code } = await all.ask({ url: `${url}/api/whoami`, headers });
    return status === 401 ? OK : `a denied token: ${status} ${code ?? ''}`;
  }
  if (session === undefined) return OK;
  const wasKept = isKept(session);
  const answer = await visit(all, url, kind === 2 ? '/' : '/run-service-b', session);
  return !(wasKept && isKept(session)) && isLoggedOut(answer) ? OK : outcomeOf(answer, session.username);
}
