import type { LoggedEvent } from './event-log.js';

export const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'ACTION'] as const;

export type Operation = (typeof OPERATIONS)[number];

export type Resource =
  'CLIENT' | 'REALM' | 'REALM_ROLE_MAPPING' | 'SSF_SYNTHETIC_EVENT' | 'USER' | 'USER_LOGIN_FAILURE' | 'USER_SESSION';

export interface AdminEvent extends LoggedEvent {
  readonly realmId: string;
  readonly authDetails: {
    readonly realmId: string;
    readonly clientId: string;
    readonly userId: string;
    readonly ipAddress: string;
  };
  readonly operationType: Operation;
  readonly resourceType: Resource;
  readonly resourcePath?: string;
  readonly representation?: string;
}

const RESOURCES = `
  REALM REALM_ROLE REALM_ROLE_MAPPING REALM_SCOPE_MAPPING AUTH_FLOW AUTH_EXECUTION_FLOW AUTH_EXECUTION
  AUTHENTICATOR_CONFIG REQUIRED_ACTION_CONFIG REQUIRED_ACTION IDENTITY_PROVIDER IDENTITY_PROVIDER_MAPPER
  PROTOCOL_MAPPER USER USER_LOGIN_FAILURE USER_SESSION USER_FEDERATION_PROVIDER USER_FEDERATION_MAPPER GROUP
  GROUP_MEMBERSHIP CLIENT CLIENT_INITIAL_ACCESS_MODEL CLIENT_ROLE CLIENT_ROLE_MAPPING CLIENT_SCOPE
  CLIENT_SCOPE_MAPPING CLIENT_SCOPE_CLIENT_MAPPING CLUSTER_NODE COMPONENT AUTHORIZATION_RESOURCE_SERVER
  AUTHORIZATION_RESOURCE AUTHORIZATION_SCOPE AUTHORIZATION_POLICY CUSTOM USER_PROFILE ORGANIZATION
  ORGANIZATION_MEMBERSHIP ORGANIZATION_GROUP ORGANIZATION_GROUP_MEMBERSHIP
`;

export const isResource = (text: string): boolean => RESOURCES.trim().split(/\s+/).includes(text);
