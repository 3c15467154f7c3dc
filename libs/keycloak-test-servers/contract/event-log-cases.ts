import type { ContractCase } from './expectations.js';
import { administered, askAdministrator } from './observations.js';
import { READER_NAMES, readerCaller, type Reader } from './own-realm.js';
import { clientCredentials, login, textOf } from './requests.js';
import { OFF, whileRecording } from './seen-events.js';
import type { ContractServer } from './server.js';

const DONE = { status: 204 };
const UNPARSED = { status: 400, json: { error: 'unknown_error', error_description: 'Cannot parse the JSON' } };
/** `LOGIN[_ERROR]` means the two types `LOGIN` and `LOGIN_ERROR`. */
const SAVED_BY_DEFAULT = `
  AUTHREQID_TO_TOKEN[_ERROR] CLIENT_DELETE[_ERROR] CLIENT_INITIATED_ACCOUNT_LINKING[_ERROR] CLIENT_LOGIN[_ERROR]
  CLIENT_REGISTER[_ERROR] CLIENT_UPDATE[_ERROR] CODE_TO_TOKEN[_ERROR] CUSTOM_REQUIRED_ACTION[_ERROR]
  DELETE_ACCOUNT[_ERROR] EXECUTE_ACTIONS[_ERROR] EXECUTE_ACTION_TOKEN[_ERROR] FEDERATED_IDENTITY_LINK[_ERROR]
  FEDERATED_IDENTITY_OVERRIDE_LINK[_ERROR] GRANT_CONSENT[_ERROR] IDENTITY_PROVIDER_FIRST_LOGIN[_ERROR]
  IDENTITY_PROVIDER_LINK_ACCOUNT[_ERROR] IDENTITY_PROVIDER_LOGIN[_ERROR] IDENTITY_PROVIDER_POST_LOGIN[_ERROR]
  IMPERSONATE[_ERROR] INVITE_ORG[_ERROR] JWT_AUTHORIZATION_GRANT[_ERROR] LOGIN[_ERROR] LOGOUT[_ERROR]
  OAUTH2_DEVICE_AUTH[_ERROR] OAUTH2_DEVICE_CODE_TO_TOKEN[_ERROR] OAUTH2_DEVICE_VERIFY_USER_CODE[_ERROR]
  OAUTH2_EXTENSION_GRANT[_ERROR] PERMISSION_TOKEN REGISTER[_ERROR] REMOVE_CREDENTIAL[_ERROR]
  REMOVE_FEDERATED_IDENTITY[_ERROR] REMOVE_TOTP[_ERROR] RESET_PASSWORD[_ERROR] RESTART_AUTHENTICATION[_ERROR]
  REVOKE_GRANT[_ERROR] SEND_IDENTITY_PROVIDER_LINK[_ERROR] SEND_RESET_PASSWORD[_ERROR] SEND_VERIFY_EMAIL[_ERROR]
  TOKEN_EXCHANGE[_ERROR] UPDATE_CONSENT[_ERROR] UPDATE_CREDENTIAL[_ERROR] UPDATE_EMAIL[_ERROR]
  UPDATE_PASSWORD[_ERROR] UPDATE_PROFILE[_ERROR] UPDATE_TOTP[_ERROR] USER_DISABLED_BY_PERMANENT_LOCKOUT
  USER_DISABLED_BY_TEMPORARY_LOCKOUT VERIFIABLE_CREDENTIAL_CREATE_OFFER[_ERROR]
  VERIFIABLE_CREDENTIAL_OFFER_REQUEST[_ERROR] VERIFIABLE_CREDENTIAL_PRE_AUTHORIZED_GRANT[_ERROR]
  VERIFIABLE_CREDENTIAL_REQUEST[_ERROR] VERIFY_EMAIL[_ERROR] VERIFY_PROFILE[_ERROR]
`
  .trim()
  .split(/\s+/)
  .flatMap((name) => (name.endsWith(']') ? [name.replace(/\[.*/, ''), name.replace(/\[(.*)\]/, '$1')] : [name]));

const REQUESTS = [
  ['GET', '/events'],
  ['GET', '/admin-events'],
  ['GET', '/events/config'],
  ['PUT', '/events/config'],
  ['DELETE', '/events'],
  ['DELETE', '/admin-events'],
  ['GET', '/users'],
] as const;

const statuses = (server: ContractServer, authorization: string | null): Promise<readonly number[]> =>
  Promise.all(
    REQUESTS.map(([method, path]) => {
      const body = method === 'PUT' ? OFF : undefined;
      return server.administrator.statusOf(method, path, { authorization, body });
    }),
  );

const readerToken = async (server: ContractServer, reader: Reader): Promise<string> =>
  `Bearer ${textOf(await clientCredentials(server, readerCaller(reader)))}`;

const config = async (server: ContractServer, put: object): Promise<unknown> => {
  const changed = await askAdministrator(server, 'PUT', '/events/config', put);
  const { enabledEventTypes, ...others } =
    await server.administrator.read<Readonly<Record<string, unknown>>>('/events/config');
  const types = enabledEventTypes as string[];
  return [changed, others, types.length > 3 ? 'the default' : types];
};

const LISTENERS = { eventsListeners: ['jboss-logging'] };
const NOTHING = {
  eventsEnabled: false,
  adminEventsEnabled: false,
  adminEventsDetailsEnabled: false,
  ...LISTENERS,
};

export const EVENT_LOG_CASES: readonly ContractCase[] = [
  {
    title: 'is not readable if the request has no token',
    ask: async (server) => statuses(await server.ownRealm(), null),
    answer: [401, 401, 401, 401, 401, 401, 401],
  },
  {
    title: 'is not readable for a user or a service account that lacks the role',
    async ask(server) {
      const own = await server.ownRealm();
      const alice = `Bearer ${textOf(await login(own, 'alice'))}`;
      return [
        await statuses(own, alice),
        await statuses(own, `Bearer ${textOf(await clientCredentials(own, 'service-a'))}`),
      ];
    },
    answer: [
      [403, 403, 403, 403, 403, 403, 403],
      [403, 403, 403, 403, 403, 403, 403],
    ],
  },
  {
    title: 'is readable if the user and the client have the realm-management role view-events or manage-events',
    async ask(server) {
      const own = await server.ownRealm();
      const seen = READER_NAMES.map(async (reader) => [reader, await statuses(own, await readerToken(own, reader))]);
      return Object.fromEntries(await Promise.all(seen)) as unknown;
    },
    answer: {
      'event-reader': [200, 200, 200, 403, 403, 403, 403],
      'event-manager': [200, 200, 200, 204, 204, 204, 403],
      'realm-reader': [403, 403, 403, 403, 403, 403, 403],
      'user-manager': [403, 403, 403, 403, 403, 403, 200],
      'reader-without-scope': [403, 403, 403, 403, 403, 403, 403],
      'reader-with-full-scope': [200, 200, 200, 403, 403, 403, 403],
    },
  },
  {
    title: 'is refused with a reason that does not name the missing role',
    async ask(server) {
      const own = await server.ownRealm();
      const authorization = await readerToken(own, 'realm-reader');
      return administered(own, await own.administrator.ask('GET', '/events', { authorization }));
    },
    answer: { status: 403, json: { error: 'HTTP 403 Forbidden' } },
  },
  {
    title: 'of another realm is not readable for an event reader of this realm',
    async ask(server) {
      const own = await server.ownRealm();
      const question = { authorization: await readerToken(own, 'event-reader'), realm: 'master' };
      return own.administrator.statusOf('GET', '/events', question);
    },
    answer: 403,
  },
  {
    title: 'is off by default, and would have these types of events',
    async ask(server) {
      const { administrator } = await server.ownRealm();
      const { enabledEventTypes, ...others } =
        await administrator.read<Readonly<Record<string, unknown>>>('/events/config');
      return [others, (enabledEventTypes as string[]).toSorted()];
    },
    answer: [NOTHING, SAVED_BY_DEFAULT.toSorted()],
  },
  {
    title: 'keeps every setting that is not in the body, except eventsEnabled and eventsExpiration',
    async ask(server) {
      const own = await server.ownRealm();
      return [
        await config(own, { eventsEnabled: true, adminEventsEnabled: true, eventsExpiration: 600 }),
        await config(own, { enabledEventTypes: ['LOGIN', 'REFRESH_TOKEN'], adminEventsDetailsEnabled: true }),
        await config(own, { eventsEnabled: true, enabledEventTypes: [] }),
        await config(own, OFF),
      ];
    },
    answer: [
      [DONE, { ...NOTHING, eventsEnabled: true, adminEventsEnabled: true, eventsExpiration: 600 }, 'the default'],
      [
        DONE,
        {
          ...LISTENERS,
          eventsEnabled: false,
          adminEventsEnabled: true,
          adminEventsDetailsEnabled: true,
        },
        ['LOGIN', 'REFRESH_TOKEN'],
      ],
      [
        DONE,
        {
          ...LISTENERS,
          eventsEnabled: true,
          adminEventsEnabled: true,
          adminEventsDetailsEnabled: true,
        },
        'the default',
      ],
      [DONE, NOTHING, 'the default'],
    ],
  },
  {
    title: 'can also be configured by an update of the realm',
    async ask(server) {
      const own = await server.ownRealm();
      const wanted = ['eventsEnabled', 'enabledEventTypes', 'adminEventsEnabled', 'adminEventsDetailsEnabled'];
      const put = { eventsEnabled: true, enabledEventTypes: ['LOGOUT'], adminEventsEnabled: true };
      return [
        await askAdministrator(own, 'GET', '', undefined, [...wanted, 'eventsExpiration']),
        await askAdministrator(own, 'PUT', '', { ...put, eventsExpiration: 60 }),
        await askAdministrator(own, 'GET', '', undefined, [...wanted, 'eventsExpiration']),
        await config(own, OFF),
      ];
    },
    answer: [
      {
        status: 200,
        json: {
          eventsEnabled: false,
          enabledEventTypes: [],
          adminEventsEnabled: false,
          adminEventsDetailsEnabled: false,
        },
      },
      DONE,
      {
        status: 200,
        json: {
          eventsEnabled: true,
          enabledEventTypes: ['LOGOUT'],
          adminEventsEnabled: true,
          adminEventsDetailsEnabled: false,
          eventsExpiration: 60,
        },
      },
      [DONE, NOTHING, 'the default'],
    ],
  },
  {
    title: 'refuses a malformed configuration',
    async ask(server) {
      const own = await server.ownRealm();
      return [
        await askAdministrator(own, 'PUT', '/events/config', []),
        await askAdministrator(own, 'PUT', '/events/config', { eventsEnabled: 'maybe' }),
        await askAdministrator(own, 'PUT', '/events/config', { enabledEventTypes: 'LOGIN' }),
      ];
    },
    answer: [UNPARSED, UNPARSED, UNPARSED],
  },
  {
    title: 'is emptied by a service account that may manage events',
    async ask(server) {
      const own = await server.ownRealm();
      const authorization = await readerToken(own, 'event-manager');
      return whileRecording(own, async () => {
        await login(own, 'alice');
        await own.administrator.change('PUT', '', { accessTokenLifespan: 300 });
        const emptied = [
          await administered(own, await own.administrator.ask('DELETE', '/events', { authorization })),
          await administered(own, await own.administrator.ask('DELETE', '/admin-events', { authorization })),
        ];
        return [...emptied, await own.administrator.read('/events'), await own.administrator.read('/admin-events')];
      });
    },
    answer: [DONE, DONE, [], []],
  },
];
