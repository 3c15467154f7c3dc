import { afterAll } from '@jest/globals';
import { ACCOUNT_CASES } from './account-cases.js';
import { ADMIN_API_CASES, MASTER_CASES } from './admin-api-cases.js';
import { ADMIN_CLIENT_CASES } from './admin-client-cases.js';
import { ADMIN_USER_CASES } from './admin-user-cases.js';
import { ADMIN_EVENT_CASES } from './admin-event-cases.js';
import { ASSERTION_CASES } from './assertion-cases.js';
import { AUTHENTICATION_CASES } from './authentication-cases.js';
import { AUTHORIZATION_CASES, LOGIN_CASES } from './authorization-cases.js';
import { CLIENT_ROLE_CASES } from './client-role-cases.js';
import { CODE_CASES } from './code-cases.js';
import { DIFFERENCES } from './differences.js';
import { DOCUMENT_CASES } from './document-cases.js';
import { BACKCHANNEL_LOGOUT_CASES, END_SESSION_CASES } from './end-session-cases.js';
import { EVENT_LOG_CASES } from './event-log-cases.js';
import { EVENT_SEARCH_CASES } from './event-search-cases.js';
import { EXCHANGE_CASES } from './exchange-cases.js';
import { INTROSPECTION_CASES } from './introspection-cases.js';
import { MCP_CLIENT_CASES } from './mcp-client-cases.js';
import { ROLE_MAPPER_CASES } from './role-mapper-cases.js';
import { ADMINISTRATION_CASES, LOGOUT_CASES, REVOCATION_CASES } from './revocation-cases.js';
import { LOGIN_EVENT_CASES } from './login-event-cases.js';
import { NOT_BEFORE_CASES } from './not-before-cases.js';
import { LEVEL_CASES } from './level-cases.js';
import { REALM_STATE_CASES } from './realm-state-cases.js';
import { connectToDemoRealm, describeOnBothServers } from './describe-servers.js';
import { connectForCases, holdCases, holdDifferences, type CaseGroup } from './hold-cases.js';
import {
  CLIENT_AUTHENTICATION_CASES,
  CLIENT_CREDENTIALS_CASES,
  PASSWORD_CASES,
  REFRESH_CASES,
  TOKEN_REQUEST_CASES,
} from './token-cases.js';
import { TOKEN_EVENT_CASES } from './token-event-cases.js';
import { USER_MANAGER_CASES } from './user-manager-cases.js';
import { OlderVersion } from './older-versions.js';
import { USERINFO_CASES } from './userinfo-cases.js';
import { DEFAULT_KEYCLOAK_VERSION } from '../src/running-server.js';
import { testServer } from 'keycloak-test-servers';

describeOnBothServers((connect, which) => {
  const groups: readonly CaseGroup[] = [
    { about: 'documents', cases: DOCUMENT_CASES },
    { about: 'client authentication', cases: CLIENT_AUTHENTICATION_CASES },
    { about: 'client authentication without a secret', cases: ASSERTION_CASES },
    { about: 'a token request', cases: TOKEN_REQUEST_CASES },
    { about: 'client credentials', cases: CLIENT_CREDENTIALS_CASES },
    { about: 'password', cases: PASSWORD_CASES },
    { about: 'refresh', cases: REFRESH_CASES },
    { about: 'an authorization request', cases: AUTHORIZATION_CASES },
    { about: 'a login in a browser', cases: LOGIN_CASES },
    { about: 'levels of authentication', cases: LEVEL_CASES },
    { about: 'an authorization code', cases: CODE_CASES },
    { about: 'a client of MCP', cases: MCP_CLIENT_CASES },
    { about: 'exchange', cases: EXCHANGE_CASES },
    { about: 'how a user has logged in', cases: AUTHENTICATION_CASES },
    { about: 'introspection', cases: INTROSPECTION_CASES },
    { about: 'client roles', cases: CLIENT_ROLE_CASES },
    { about: 'a mapper', cases: ROLE_MAPPER_CASES },
    { about: 'revocation', cases: REVOCATION_CASES },
    { about: 'logout', cases: LOGOUT_CASES },
    { about: 'a logout in a browser', cases: END_SESSION_CASES },
    { about: 'back-channel logout', cases: BACKCHANNEL_LOGOUT_CASES },
    { about: 'an administrator', cases: ADMINISTRATION_CASES },
    { about: 'tokens after an action of an administrator', cases: NOT_BEFORE_CASES },
    { about: 'tokens after the change of an account', cases: ACCOUNT_CASES },
    { about: 'a realm', cases: REALM_STATE_CASES },
    { about: 'userinfo', cases: USERINFO_CASES },
    { about: 'the realm master', cases: MASTER_CASES },
    { about: 'the admin REST API', cases: ADMIN_API_CASES },
    { about: 'users and roles in the admin REST API', cases: ADMIN_USER_CASES },
    { about: 'clients and sessions in the admin REST API', cases: ADMIN_CLIENT_CASES },
    { about: 'a service account that may manage users', cases: USER_MANAGER_CASES },
    { about: 'the event log', cases: EVENT_LOG_CASES },
    { about: 'a search in the event log', cases: EVENT_SEARCH_CASES },
    { about: 'events of logins', cases: LOGIN_EVENT_CASES },
    { about: 'events of tokens and logouts', cases: TOKEN_EVENT_CASES },
    { about: 'events of administrators', cases: ADMIN_EVENT_CASES },
  ];
  const older = new OlderVersion(which === 'keycloak' ? testServer().version : DEFAULT_KEYCLOAK_VERSION);
  const server = connectForCases(connect);
  afterAll(() => older.save());
  holdCases(server, groups, older);
  holdDifferences(server, which, DIFFERENCES);
}, connectToDemoRealm);
