import type { FaultyEndpoint } from '../http/fault.js';
import type { HttpAnswer, HttpCall } from '../http/http-call.js';
import type { ServerState } from '../state/server-state.js';
import { pollEndpoint } from './poll-endpoint.js';
import { authenticated, type SsfRequest } from './receiver.js';
import { NOT_ALLOWED, NOT_FOUND, notSupported } from './ssf-refusal.js';
import { readStatus, updateStatus } from './status-endpoint.js';
import { createStream, deleteStream, readStreams, replaceStream, updateStream } from './streams-endpoint.js';
import { hasTransmitter, transmitterPath } from '../streams/transmitter.js';
import { verificationEndpoint } from './verification-endpoint.js';

type SsfEndpoint = (request: SsfRequest) => HttpAnswer | Promise<HttpAnswer>;

interface Resource {
  readonly name?: FaultyEndpoint;
  readonly methods: Readonly<Partial<Record<string, SsfEndpoint>>>;
}

const missing: SsfEndpoint = () => {
  throw notSupported('the management of subjects');
};

const RESOURCES: Readonly<Record<string, Resource>> = {
  '/streams': {
    name: 'streams',
    methods: { GET: readStreams, POST: createStream, PATCH: updateStream, PUT: replaceStream, DELETE: deleteStream },
  },
  '/streams/status': { name: 'streamStatus', methods: { GET: readStatus, POST: updateStatus } },
  '/verify': { name: 'verification', methods: { POST: verificationEndpoint } },
  '/subjects/add': { methods: { POST: missing } },
  '/subjects/remove': { methods: { POST: missing } },
};

const POLL = /^\/receivers\/([^/]+)\/streams\/([^/]+)\/poll$/;

export interface SsfRoute {
  readonly name?: FaultyEndpoint;
  readonly endpoint: (server: ServerState, call: HttpCall) => Promise<HttpAnswer>;
}

export function ssfRoute(realm: string, path: string): SsfRoute | undefined {
  const base = `${transmitterPath(realm)}/`;
  if (!path.startsWith(base)) return undefined;
  const resource = resourceAt(path.slice(base.length - 1));
  return {
    ...(resource?.name === undefined ? {} : { name: resource.name }),
    async endpoint(server, call) {
      if (!hasTransmitter(server)) throw NOT_FOUND;
      const request = await authenticated(server, call);
      if (resource === undefined) throw NOT_FOUND;
      const endpoint = resource.methods[call.method];
      if (endpoint === undefined) throw NOT_ALLOWED;
      return endpoint(request);
    },
  };
}

function resourceAt(path: string): Resource | undefined {
  const [, clientId, streamId] = POLL.exec(path) ?? [];
  if (clientId === undefined || streamId === undefined) return RESOURCES[path];
  const [client, stream] = [clientId, streamId].map((part) => decodeURIComponent(part));
  return { name: 'poll', methods: { POST: (request) => pollEndpoint(request, client ?? '', stream ?? '') } };
}
