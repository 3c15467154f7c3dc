import type { RealmRequirements } from '../realm-requirements.js';
import { accountIn, scopeMappings, scopeRepresentation, scopesOfClient } from './scope-representations.js';

const NO_DELETE = ['client-scope', 'scope-mapping', 'client-scope-mapping'];

/** The file has no clients, because keycloak-config-cli would replace the optional scopes of an existing client. */
export function configCliFile(requirements: RealmRequirements, realm: string): string {
  const { realm: ofRealm, clients } = scopeMappings(requirements);
  const file = {
    realm,
    clientScopes: requirements.permissions.map(scopeRepresentation),
    ...(ofRealm.length === 0 ? {} : { scopeMappings: ofRealm }),
    ...(Object.keys(clients).length === 0 ? {} : { clientScopeMappings: clients }),
  };
  const comments = [
    'Rendered by: nestjs-keycloak-s2s realm plan --format config-cli',
    'Import it with these settings, or keycloak-config-cli may delete what other files made:',
    ...NO_DELETE.map((kind) => `  import.managed.${kind}=no-delete`),
    'The roles and the clients must exist. Add to the definitions of the clients:',
    ...clientLines(requirements),
    ...accountLines(requirements),
  ];
  return `${comments.map((line) => `# ${line}\n`).join('')}${JSON.stringify(file, undefined, 2)}\n`;
}

function accountLines({ clients }: RealmRequirements): string[] {
  const accounts = clients.filter(({ serviceAccountRoles }) => serviceAccountRoles.length > 0);
  const lines = accounts.map((client) => `  ${JSON.stringify(accountIn(client))}`);
  return lines.length === 0
    ? []
    : [
        'Add to the users, for the roles of service accounts. keycloak-config-cli removes their other roles and groups:',
        ...lines,
      ];
}

function clientLines(requirements: RealmRequirements): string[] {
  const { clients, otherClients } = requirements;
  const lines = (clientId: string, settings: object): string[] => {
    const optionalClientScopes = scopesOfClient(requirements, clientId);
    const added = { ...(optionalClientScopes.length === 0 ? {} : { optionalClientScopes }), ...settings };
    return Object.keys(added).length === 0 ? [] : [`  ${JSON.stringify({ clientId, ...added })}`];
  };
  return [
    ...clients.flatMap(({ clientId, tokenExchange, serviceAccount }) =>
      lines(clientId, {
        ...(serviceAccount ? { serviceAccountsEnabled: true } : {}),
        ...(tokenExchange ? { attributes: { 'standard.token.exchange.enabled': 'true' } } : {}),
      }),
    ),
    ...otherClients.flatMap((clientId) => lines(clientId, {})),
  ];
}
