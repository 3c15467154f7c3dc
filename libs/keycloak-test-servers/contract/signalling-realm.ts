export const SSF_FEATURE = 'ssf';

export const SSF_SCOPES = ['ssf.read', 'ssf.manage'];

type Members = Readonly<Record<string, unknown>>;

interface Realm {
  readonly attributes: Members;
  readonly clients: readonly Members[];
}

export const RECEIVER_SECRET = 'the-secret';

export const RECEIVER_OF_FILE = { clientId: 'ssf-receiver', streamId: 'events-of-the-file' };

export const streamAttributes = (streamId: string, audience: string): Readonly<Record<string, string>> => ({
  'ssf.enabled': 'true',
  'ssf.defaultSubjects': 'ALL',
  'ssf.minVerificationInterval': '0',
  'ssf.stream.id': streamId,
  'ssf.stream.status': 'enabled',
  'ssf.stream.aud': audience,
  'ssf.stream.delivery.method': 'urn:ietf:rfc:8936',
  'ssf.stream.delivery.endpointUrl': 'poll',
  'ssf.stream.eventsRequested': 'CaepSessionRevoked,CaepCredentialChange',
  'ssf.stream.eventsDelivered': 'CaepSessionRevoked,CaepCredentialChange',
});

export const receiverClient = (clientId: string, attributes: Readonly<Record<string, string>>) => ({
  clientId,
  secret: RECEIVER_SECRET,
  publicClient: false,
  serviceAccountsEnabled: true,
  standardFlowEnabled: false,
  directAccessGrantsEnabled: true,
  fullScopeAllowed: false,
  defaultClientScopes: ['basic'],
  optionalClientScopes: SSF_SCOPES,
  attributes,
});

const { clientId, streamId } = RECEIVER_OF_FILE;

export const transmitterOf = ({ attributes, clients }: Realm) => ({
  attributes: { ...attributes, 'ssf.transmitterEnabled': 'true' },
  clients: [...clients, receiverClient(clientId, streamAttributes(streamId, clientId))],
  components: {
    'org.keycloak.userprofile.UserProfileProvider': [
      {
        providerId: 'declarative-user-profile',
        config: { 'kc.user.profile.config': [JSON.stringify(USER_PROFILE)] },
      },
    ],
  },
});

/** Unlike Keycloak's default user profile, this profile lets administrators set unmanaged attributes. */
const USER_PROFILE = {
  attributes: ['username', 'email', 'firstName', 'lastName'].map((name) => ({
    name,
    permissions: { view: ['admin', 'user'], edit: ['admin', 'user'] },
  })),
  unmanagedAttributePolicy: 'ADMIN_EDIT',
};
