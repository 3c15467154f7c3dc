import { nameOfRole, type Role } from '../../policy/holders.js';
import type { RealmRequirements, RequiredClient } from '../realm-requirements.js';

export function planReport({ clients, otherClients, permissions, levels }: RealmRequirements): string {
  return [
    ...section('Clients', clients.map(clientRow)),
    ...section(
      'Clients of no given module',
      otherClients.map((clientId) => [clientId]),
    ),
    ...section(
      'Permissions',
      permissions.map(({ name, audience, clients: askers, roles }) => [
        name,
        `for ${audience}`,
        askers.length === 0 ? 'no client asks for it' : `asked for by ${askers.join(', ')}`,
        roles === undefined ? 'everyone may hold it' : `held with ${namesOf(roles, ' or ')}`,
      ]),
    ),
    ...section(
      'Levels of authentication (acr)',
      levels.map(({ acr, services }) => [acr.join(' or '), `demanded by ${services.join(', ')}`]),
    ),
    '',
  ]
    .join('\n')
    .trimStart();
}

const clientRow = ({ clientId, tokenExchange, serviceAccount, serviceAccountRoles }: RequiredClient): string[] => [
  clientId,
  [
    ...(tokenExchange ? ['exchanges tokens'] : []),
    ...(serviceAccount ? ['has a service account'] : []),
    ...(serviceAccountRoles.length === 0 ? [] : [`with ${namesOf(serviceAccountRoles, ', ')}`]),
  ].join(', '),
];

const namesOf = (roles: readonly Role[], separator: string): string => roles.map(nameOfRole).join(separator);

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, at) => Math.max(cell.length, most[at] ?? 0)), []);
  const line = (row: readonly string[]): string =>
    `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd();
  return ['', title, ...rows.map(line)];
}
