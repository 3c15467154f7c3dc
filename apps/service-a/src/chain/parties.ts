export interface Party {
  readonly name: 'browser' | 'service-a' | 'keycloak' | 'service-b' | 'service-c';
  readonly label: string;
  readonly column: number;
}

export const PARTIES: Readonly<Record<Party['name'], Party>> = {
  browser: { name: 'browser', label: 'Browser', column: 1 },
  'service-a': { name: 'service-a', label: 'Service A', column: 2 },
  keycloak: { name: 'keycloak', label: 'Keycloak', column: 3 },
  'service-b': { name: 'service-b', label: 'Service B', column: 4 },
  'service-c': { name: 'service-c', label: 'Service C', column: 5 },
};

export function partyNamed(name: string): Party | undefined {
  return Object.values(PARTIES).find((party) => party.name === name);
}
