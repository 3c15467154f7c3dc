import { randomUUID } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import type { ContractCase } from './expectations.js';
import { clientCredentials, request, textOf, type Reply } from './requests.js';
import type { ContractServer } from './server.js';
import { receiverClient, RECEIVER_SECRET, streamAttributes } from './signalling-realm.js';

type Members = Readonly<Record<string, unknown>>;
type Attributes = Readonly<Record<string, string>>;

export const STREAMS = '/ssf/transmitter/streams';
export const STATUS = `${STREAMS}/status`;
export const VERIFY = '/ssf/transmitter/verify';

export const EVENT_TYPES = {
  sessionRevoked: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  credentialChange: 'https://schemas.openid.net/secevent/caep/event-type/credential-change',
  verification: 'https://schemas.openid.net/secevent/ssf/event-type/verification',
  streamUpdated: 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated',
} as const;

export interface Receiver {
  readonly clientId: string;
  readonly path: string;
  readonly streamId: string;
  readonly pollPath: string;
  ask(method: string, path: string, body?: unknown, token?: string | null): Promise<Reply>;
  poll(body?: object): Promise<Poll>;
  verify(...states: readonly string[]): Promise<readonly number[]>;
  polled(body?: object): Promise<readonly string[]>;
  token(scope?: string): Promise<string>;
  changeAttributes(changes: Attributes, others?: object): Promise<void>;
}

export interface Poll {
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}

export interface OfReceiver {
  /** An empty string removes a default attribute. */
  readonly attributes?: Attributes;
  readonly isEmpty?: boolean;
}

/** Sends one request at a time, since Keycloak answers some concurrent requests with 409, 500 or different events. */
export async function inTurn<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (const item of items) answers.push(await ask(item));
  return answers;
}

export async function withReceiver<T>(
  server: ContractServer,
  { attributes = {}, isEmpty = false }: OfReceiver,
  use: (receiver: Receiver, own: ContractServer) => Promise<T>,
): Promise<T> {
  const own = await server.ownRealm('with signals');
  const [clientId, streamId] = [`receiver-${randomUUID()}`, `stream-${randomUUID()}`];
  const all = { ...(isEmpty ? { 'ssf.enabled': 'true' } : streamAttributes(streamId, 'the-audience')), ...attributes };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  return own.administrator.having('/clients', receiverClient(clientId, given), (path) =>
    use(receiverAt(own, { clientId, streamId, path }), own),
  );
}

export function receiverAt(
  own: ContractServer,
  { clientId, streamId, path = '' }: { clientId: string; streamId: string; path?: string },
): Receiver {
  let both: Promise<string> | undefined;
  const token = async (scope = 'ssf.read ssf.manage'): Promise<string> =>
    textOf(await clientCredentials(own, `${clientId}:${RECEIVER_SECRET}`, scope === '' ? undefined : scope));
  const pollPath = `/ssf/transmitter/receivers/${clientId}/streams/${streamId}/poll`;
  const ask: Receiver['ask'] = async (method, to, body, other) => {
    const bearer = other === undefined ? await (both ??= token()) : other;
    return request(own, to, {
      method,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  };
  const poll: Receiver['poll'] = async (body = {}) => {
    const { status, members, text } = await ask('POST', pollPath, body);
    if (status !== 200) throw new Error(`A poll answered ${status}: ${text}`);
    return members as unknown as Poll;
  };
  return {
    clientId,
    path,
    streamId,
    pollPath,
    ask,
    poll,
    verify: (...states) =>
      inTurn(states, async (state) => (await ask('POST', VERIFY, { stream_id: streamId, state })).status),
    async polled(body) {
      const { sets } = await poll(body);
      return Promise.all(Object.values(sets).map(async (jws) => nameOf(await verified(own, jws))));
    },
    token,
    async changeAttributes(changes, others = {}) {
      const client = await own.administrator.read<Members>(path);
      await own.administrator.change('PUT', path, { ...client, ...others, attributes: changes });
    },
  };
}

const nameOf = ({ events }: Members): string => {
  const [[type = '', event] = []] = Object.entries(events as Record<string, Members>);
  return type === EVENT_TYPES.verification ? String(event?.['state']) : (type.split('/').at(-1) ?? '');
};

async function verified(own: ContractServer, jws: string): Promise<Members> {
  const keys = (await request(own, '/protocol/openid-connect/certs')).members as unknown as JSONWebKeySet;
  const { payload } = await jwtVerify(jws, createLocalJWKSet(keys), { algorithms: ['RS256'], typ: 'secevent+jwt' });
  return payload;
}

export const shownSets = (own: ContractServer, { sets }: Poll, names: Members): Promise<readonly unknown[]> =>
  Promise.all(
    Object.entries(sets).map(async ([key, jws]) => {
      const { kid, ...header } = decodeProtectedHeader(jws);
      const claims = await verified(own, jws);
      return {
        header: { ...header, kid: typeof kid },
        isKeyedByItsId: claims['jti'] === key,
        claims: shown({ ...names, '<issuer>': own.issuer }, claims),
      };
    }),
  );

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function shown(names: Members, value: unknown, member = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => shown(names, item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shown(names, inner, name)]));
  }
  if (typeof value === 'number' && /^(iat|event_timestamp|.*At)$/.test(member)) return '<time>';
  if (typeof value !== 'string') return value;
  const renamed = Object.entries(names).reduce((text, [name, known]) => text.replaceAll(String(known), name), value);
  return UUID.test(renamed) ? '<uuid>' : renamed;
}

export const ssfAnswer = ({ status, members, text }: Reply, names: Members = {}): unknown =>
  text === '' ? status : [status, shown(names, Object.keys(members).length === 0 ? JSON.parse(text) : members)];

/** `act` performs the action and returns the variable values by placeholder, such as `<sid>`. */
export const signalsOf = (
  title: string,
  act: (own: ContractServer, username: string, receiver: Receiver) => Promise<Members>,
  answer: readonly unknown[],
): ContractCase => ({
  title,
  ask: (server) =>
    withReceiver(server, {}, async (receiver, own) => {
      const username = await own.newUser('order-manager');
      const sub = await own.subjectOf(username);
      const names = await act(own, username, receiver);
      return shownSets(own, await receiver.poll(), { '<sub>': sub, ...names });
    }),
  answer,
});
