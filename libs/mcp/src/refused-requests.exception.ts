import { ForbiddenException, Logger, NotFoundException, type HttpException } from '@nestjs/common';
import type { AdaptedRequest } from 'nestjs-keycloak-s2s/extension';
import { allowsOrigin } from './allows-origin.js';
import type { ResolvedEndpointOptions } from './endpoint-options.js';

/** Refuses requests that no token makes acceptable. The body is a JSON-RPC error without an id. */
export class RefusedRequests {
  readonly #logger = new Logger('McpEndpoint');
  readonly #told = new Set<string>();

  constructor(private readonly options: ResolvedEndpointOptions) {}

  refuse({ headers }: AdaptedRequest): void {
    const { origin, 'mcp-session-id': session } = headers as Readonly<Record<string, unknown>>;
    if (!allowsOrigin(this.options, origin)) throw this.#foreignOrigin(origin);
    if (session !== undefined) throw this.#unknownSession();
  }

  #foreignOrigin(origin: unknown): HttpException {
    this.#tellOnce('A request was refused, because its Origin header is not in allowedOrigins of @McpEndpoint()', {
      origin: String(origin).slice(0, 100),
    });
    return new ForbiddenException(rpcError(-32_000, 'Origin not allowed'));
  }

  /** MCP 2025-11-25, Session Management: a client that gets 404 begins again without the session. */
  #unknownSession(): HttpException {
    this.#tellOnce(
      'A request was refused, because it has a session id. @McpEndpoint() needs a stateless transport, without statefulMode or sessionIdGenerator',
    );
    return new NotFoundException(rpcError(-32_001, 'Session not found'));
  }

  /** Callers could fill the log. */
  #tellOnce(message: string, fields: Readonly<Record<string, string>> = {}): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#logger.warn({ message: `${message}. This line is not repeated`, ...fields });
  }
}

const rpcError = (code: number, message: string): Readonly<Record<string, unknown>> => ({
  jsonrpc: '2.0',
  error: { code, message },
  id: null,
});
