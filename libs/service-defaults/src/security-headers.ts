/** Security headers: helmet's headers, computed once, since every answer has the same headers. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

export interface PagePolicy {
  /**
   * The origins to which an HTML form may send data. If the answer to the form is a redirect, this list must also
   * contain the origin of the redirect's target.
   */
  readonly formTargets?: readonly string[];
  /** Whether the page may load scripts from its origin and send requests to its origin. */
  readonly scripts?: boolean;
  readonly dataImages?: boolean;
}

/** Includes `no-store`, since an answer that depends on a token must not be cached. */
export function securityHeaders({ formTargets = [], scripts = false, dataImages = false }: PagePolicy = {}): Readonly<
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
        imgSrc: ["'self'", ...(dataImages ? ['data:'] : [])],
        ...(scripts ? { scriptSrc: ["'self'"], connectSrc: ["'self'"] } : {}),
        baseUri: ["'none'"],
        formAction: ["'self'", ...formTargets],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    // These headers help only outdated browsers.
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })(request, response, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  const headers = Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)] as const);
  return Object.freeze({ 'cache-control': 'no-store', ...Object.fromEntries(headers) });
}
