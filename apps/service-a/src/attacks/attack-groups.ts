export const ATTACK_GROUPS = {
  'wrong-service': { title: 'The wrong service', words: 'A good token, shown to a service that it was not made for.' },
  'wrong-permission': {
    title: 'The wrong permission',
    words: 'A known client or user asks for something that it may not do, or that needs a stronger login.',
  },
  ended: {
    title: 'Ended',
    words: 'A token that was valid, but is revoked, has expired, or belongs to a disabled user.',
  },
  forged: {
    title: 'Forged or misused',
    words: 'A token that Keycloak did not issue, a token of another kind, or no token.',
  },
} as const;

export type AttackGroup = keyof typeof ATTACK_GROUPS;

export interface GroupOf<T> {
  readonly id: string;
  readonly title: string;
  readonly words: string;
  readonly members: readonly T[];
}

export const byGroup = <T>(all: readonly T[], groupOf: (member: T) => AttackGroup): readonly GroupOf<T>[] =>
  Object.entries(ATTACK_GROUPS)
    .map(([id, group]) => ({ id, ...group, members: all.filter((member) => groupOf(member) === id) }))
    .filter(({ members }) => members.length > 0);
