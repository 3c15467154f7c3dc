/** Security headers: what helmet sets, made once, since it is the same for every answer. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

export interface PagePolicy {
  /** Origins to which a form of the page leads, be it by a redirect: browsers hold `form-action` against those too. */
  readonly formTargets?: readonly string[];
  /** Whether the page may load scripts of this origin, and those ask it; none stands in the page itself. */
  readonly scripts?: boolean;
}

/** Names in lower case. `Cache-Control` among them: an answer that depends on a token is nobody else's. */
export function securityHeaders({ formTargets = [], scripts = false }: PagePolicy = {}): Readonly<
  Record<string, string>
> {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        ...(scripts ? { scriptSrc: ["'self'"], connectSrc: ["'self'"] } : {}),
        baseUri: ["'none'"],
        formAction: ["'self'", ...formTargets],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    // For browsers that are gone; every header costs the service that sends it and the one that reads it.
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })(request, response, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  const made = Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)] as const);
  return Object.freeze({ 'cache-control': 'no-store', ...Object.fromEntries(made) });
}
