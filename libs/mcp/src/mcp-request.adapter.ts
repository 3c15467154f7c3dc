import type { RpcException } from '@nestjs/microservices';
import { BearerError } from 'nestjs-keycloak-s2s';
import type { CallContext, RequestAdapter } from 'nestjs-keycloak-s2s/extension';
import { throwError } from 'rxjs';
import { admittedRequest } from './admitted-requests.js';

interface McpCall {
  getRawRequest(): unknown;
}

/**
 * Protects the tools, prompts and resources of `@rekog/mcp-nest`, for `forRoot({ requestAdapters:
 * [mcpRequestAdapter()] })`, also beside `microservicesRequestAdapter()`. Each handler needs an access decorator. A
 * handler runs for the caller of the HTTP request, and `@Caller()` injects this caller.
 *
 * The result of a refused tool has `isError`; a refused prompt or resource gets a JSON-RPC error. Both name the code,
 * and the missing permission.
 *
 * Refuses a call that did not come through a controller with `@McpEndpoint()` (`route_closed`): from a transport that
 * mounts itself, or from stdio. Does NOT protect what `registerTool()`, `registerResource()` or `registerPrompt()` adds at
 * runtime: only the endpoint does.
 */
export function mcpRequestAdapter(): RequestAdapter {
  let Exception: typeof RpcException | undefined;
  // An endpoint of the official SDK alone has no adapter, and needs no @nestjs/microservices.
  void import('@nestjs/microservices').then(
    (module) => (Exception = module.RpcException),
    () => undefined,
  );
  const adapter: RequestAdapter = {
    kind: 'rpc',
    isOwn: (context) => typeof callOf(context).getRawRequest === 'function',
    callOf,
    requestOf(context) {
      const request = admittedRequest(callOf(context).getRawRequest());
      if (request === undefined) throw pastTheEndpoint();
      return request;
    },
    toException({ body: { error, code, permission } }) {
      const what = permission === undefined ? error : `${error}: ${permission}`;
      const message = `${what} (${code})`;
      return Exception === undefined ? new Error(message) : new Exception({ code, message });
    },
    answer: (exception) => throwError(() => (exception as Partial<RpcException>).getError?.() ?? exception),
  };
  ours.add(adapter);
  return adapter;
}

const ours = new WeakSet<object>();

export const isMcpRequestAdapter = (adapter: RequestAdapter): boolean => ours.has(adapter);

/** The transport passes its context as the second argument; only the first argument comes from the caller. */
const callOf = (context: CallContext): McpCall => Object(context.getArgByIndex(1)) as McpCall;

const pastTheEndpoint = (): BearerError =>
  new BearerError('route_closed', {
    reason: 'transport_without_headers',
    detail:
      'The call did not come through a guarded endpoint. Set { mount: false } for the transport, and serve it by a controller that extends McpHttpControllerFor(transport) and has @McpEndpoint() and an access decorator',
  });
