/** Admitted contexts: which run of which handler the guard has let through, under a key that only this file knows. */

/** Nest makes one context for all the guards of a run, and another for the next run, of the same request too. */
const ADMITTED = Symbol('nestjs-keycloak-s2s:admitted');

interface GuardedContext {
  [ADMITTED]?: true;
}

export function markAdmitted(context: object): true {
  (context as GuardedContext)[ADMITTED] = true;
  return true;
}

export function isAdmitted(context: object): boolean {
  return (context as GuardedContext)[ADMITTED] === true;
}
