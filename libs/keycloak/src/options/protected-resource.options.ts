import { url, type OptionContext, type OptionKind } from './option-kinds.js';

/** The metadata at `/.well-known/oauth-protected-resource`, which the module serves without a token. */
export interface ProtectedResourceOptions {
  /**
   * The exact URL (with path) that clients use for this service, such as `https://orders.example.com`. The URL is not
   * the tokens' audience: Keycloak's audience is a client id.
   */
  readonly resource: string;
  /** The name of this service for people (`resource_name`). */
  readonly resourceName?: string | undefined;
  /** The URL of a page for developers (`resource_documentation`). */
  readonly resourceDocumentation?: string | undefined;
}

export interface ProtectedResource extends ProtectedResourceOptions {
  readonly metadataPath: string;
  readonly metadataUrl: string;
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The path characters without a special meaning in the routers of Express and Fastify. */
const PLAIN_PATH = /^(?:\/[\w.~-]+)*$/;

export const protectedResource: OptionKind<ProtectedResource | undefined> = (name, given, context) => {
  if (given === undefined) return undefined;
  const { faults } = context;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    faults.fault(`${name} must be { resource }, with the URL of this service`);
    return undefined;
  }
  const { resource, resourceName, resourceDocumentation, ...others } = given as Readonly<Record<string, unknown>>;
  for (const other of Object.keys(others)) faults.fault(`${name} has an unknown member "${other}"`);
  if (resourceName !== undefined && (typeof resourceName !== 'string' || resourceName.trim() === '')) {
    faults.fault(`${name}.resourceName must be text`);
  }
  if (resourceDocumentation !== undefined && !isPage(resourceDocumentation)) {
    faults.fault(`${name}.resourceDocumentation must be an http(s) URL`);
  }
  return {
    ...placeOf(`${name}.resource`, resource, context),
    resourceName: resourceName as string | undefined,
    resourceDocumentation: resourceDocumentation as string | undefined,
  };
};

/** The well-known path goes between the resource's host and path (RFC 9728 §3.1). */
function placeOf(
  name: string,
  given: unknown,
  context: OptionContext,
): Pick<ProtectedResource, 'resource' | 'metadataPath' | 'metadataUrl'> {
  const resource = url(name, given, context);
  const { origin, pathname } = URL.canParse(resource) ? new URL(resource) : new URL('https://none');
  const path = pathname === '/' ? '' : pathname;
  // Another fault already covers an invalid URL.
  if (/^https?:[^?#@]+$/.test(resource)) {
    if (!PLAIN_PATH.test(path)) context.faults.fault(`The path of ${name} must contain only letters, digits, - . _ ~`);
    // Clients compare the URL character by character (RFC 9728 §3.3).
    else if (given !== origin + path && given !== `${origin}/`) {
      context.faults.fault(`${name} must be a normalized URL without a final slash: ${origin}${path}`);
    }
  }
  const metadataPath = `${WELL_KNOWN}${path}`;
  return { resource: String(given), metadataPath, metadataUrl: `${origin}${metadataPath}` };
}

const isPage = (given: unknown): boolean =>
  typeof given === 'string' && URL.canParse(given) && /^https?:$/.test(new URL(given).protocol);
