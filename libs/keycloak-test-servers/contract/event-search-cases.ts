import type { ContractCase } from './expectations.js';
import { askAdministrator } from './observations.js';
import { clientCredentials, login } from './requests.js';
import { readUserEvents, whileRecording, type LoggedEvent } from './seen-events.js';
import type { ContractServer } from './server.js';

const UNKNOWN_NAME = {
  status: 500,
  json: { error: 'unknown_error', error_description: 'For more on this error consult the server log.' },
};
const refusedTime = (name: string) => ({
  status: 400,
  json: { error: `Invalid value for '${name}', expected format is yyyy-MM-dd or an Epoch timestamp` },
});

/** The number of an event is its position in the log, from 0 (oldest). */
async function pages(
  { administrator }: ContractServer,
  path: '/events' | '/admin-events',
  log: readonly LoggedEvent[],
  queries: readonly string[],
): Promise<unknown> {
  const ids = log.map(({ id }) => id);
  const page = async (query: string) =>
    (await administrator.read<LoggedEvent[]>(`${path}?${query}`)).map(({ id }) => ids.indexOf(id));
  return Promise.all(queries.map(page));
}

/** Waits, so that each event has a different millisecond. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

async function fourUserEvents(server: ContractServer): Promise<readonly LoggedEvent[]> {
  for (const act of [
    () => login(server, 'alice'),
    () => login(server, 'bob', 'openid', 'demo-cli', 'wrong'),
    () => clientCredentials(server, 'service-a'),
    () => login(server, 'alice'),
  ]) {
    await act();
    await pause();
  }
  return readUserEvents(server);
}

async function threeAdminEvents({ administrator }: ContractServer, path: string): Promise<readonly LoggedEvent[]> {
  await administrator.change('PUT', path, { firstName: 'Other' });
  await pause();
  await administrator.change('POST', `${path}/logout`);
  await pause();
  await administrator.change('PUT', '', { accessTokenLifespan: 300 });
  return administrator.read<LoggedEvent[]>('/admin-events?direction=asc');
}

const MANY = 103;

export const EVENT_SEARCH_CASES: readonly ContractCase[] = [
  {
    title: 'returns the newest events first, or the oldest events first, in pages',
    async ask(server) {
      const own = await server.ownRealm();
      const queries = ['', 'direction=desc', 'direction=asc', 'max=2', 'first=1&max=2', 'first=3', 'first=9', 'max=0'];
      return whileRecording(own, async () => pages(own, '/events', await fourUserEvents(own), queries));
    },
    answer: [[3, 2, 1, 0], [3, 2, 1, 0], [0, 1, 2, 3], [3, 2], [2, 1], [0], [], []],
  },
  {
    title: 'returns a hundred events in a page, unless the request asks for more events',
    async ask(server) {
      const own = await server.ownRealm();
      return whileRecording(own, async () => {
        for (let made = 0; made < MANY; made += 1) await clientCredentials(own, 'service-a');
        const sizes = ['', 'max=102', 'first=100', 'first=-1', 'max=-1'].map(
          async (query) => (await own.administrator.read<object[]>(`/events?${query}`)).length,
        );
        return Promise.all(sizes);
      });
    },
    answer: [100, 102, MANY - 100, 100, MANY],
  },
  {
    title: 'finds events by type, client and user',
    async ask(server) {
      const own = await server.ownRealm();
      const alice = await own.subjectOf('alice');
      const queries = [
        'type=LOGIN',
        'type=LOGIN_ERROR&type=CLIENT_LOGIN',
        'type=',
        'type=USER_INFO_REQUEST',
        'client=demo-cli',
        'client=no-such',
        `user=${alice}`,
        'user=no-such',
        `user=${alice}&client=service-a`,
        'noSuchParameter=1',
      ];
      return whileRecording(own, async () => pages(own, '/events', await fourUserEvents(own), queries));
    },
    answer: [[3, 0], [2, 1], [3, 2, 1, 0], [], [3, 1, 0], [], [3, 0], [], [], [3, 2, 1, 0]],
  },
  {
    title: 'finds events between two times or days, including events at both limits',
    async ask(server) {
      const own = await server.ownRealm();
      return whileRecording(own, async () => {
        const log = await fourUserEvents(own);
        const at = log[2]?.time ?? 0;
        const day = (offset: number): string => new Date(at + offset * 86_400_000).toISOString().slice(0, 10);
        return pages(own, '/events', log, [
          `dateFrom=${at}`,
          `dateTo=${at}`,
          `dateFrom=${at}&dateTo=${at}`,
          `dateFrom=${at + 60_000}`,
          `dateFrom=${day(-1)}&dateTo=${day(1)}`,
          `dateFrom=${day(2)}`,
          `dateTo=${day(-2)}`,
          'dateFrom=',
        ]);
      });
    },
    answer: [[3, 2], [2, 1, 0], [2], [], [3, 2, 1, 0], [], [], [3, 2, 1, 0]],
  },
  {
    title: 'finds events of administrators by operation and resource, and by pages and times',
    async ask(server) {
      const own = await server.ownRealm();
      const path = await own.administrator.create('/users', { username: 'searched' });
      return whileRecording(own, async () => {
        const log = await threeAdminEvents(own, path);
        const at = log[1]?.time ?? 0;
        return pages(own, '/admin-events', log, [
          '',
          'direction=asc',
          'operationTypes=UPDATE',
          'operationTypes=ACTION&operationTypes=DELETE',
          'resourceTypes=USER',
          'resourceTypes=REALM&resourceTypes=USER',
          'resourceTypes=GROUP_MEMBERSHIP',
          'operationTypes=UPDATE&resourceTypes=USER',
          'first=1&max=1',
          `dateFrom=${at}`,
          `dateTo=${at}`,
        ]);
      }).finally(() => own.administrator.change('DELETE', path));
    },
    answer: [[2, 1, 0], [0, 1, 2], [2, 0], [1], [1, 0], [2, 1, 0], [], [0], [1], [2, 1], [1, 0]],
  },
  {
    title: 'refuses malformed parameters',
    async ask(server) {
      const own = await server.ownRealm();
      const queries = [
        '/events?type=NO_SUCH',
        '/events?type=login',
        '/events?max=many',
        '/events?first=1.5',
        '/events?direction=ASC',
        '/events?dateFrom=yesterday',
        '/events?dateTo=2026-02-30',
        '/events?dateFrom=2026-1-1',
        '/events?dateFrom=-1',
        '/admin-events?operationTypes=NO_SUCH',
        '/admin-events?resourceTypes=NO_SUCH',
        '/admin-events?direction=up',
        '/admin-events?dateTo=now',
      ];
      return Promise.all(queries.map((query) => askAdministrator(own, 'GET', query)));
    },
    answer: [
      UNKNOWN_NAME,
      UNKNOWN_NAME,
      { status: 404, json: { error: 'HTTP 404 Not Found' } },
      { status: 404, json: { error: 'HTTP 404 Not Found' } },
      { status: 400, json: { error: 'Invalid value for sortDirection, expected value is asc or desc' } },
      refusedTime('dateFrom'),
      refusedTime('dateTo'),
      refusedTime('dateFrom'),
      refusedTime('dateFrom'),
      UNKNOWN_NAME,
      UNKNOWN_NAME,
      { status: 400, json: { error: 'Invalid value for sortDirection, expected value is asc or desc' } },
      refusedTime('dateTo'),
    ],
  },
];
