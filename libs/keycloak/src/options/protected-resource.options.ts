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
  /** The path of the routes that belong to the resource; empty for all routes. */
  readonly path: string;
  readonly metadataPath: string;
  readonly metadataUrl: string;
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The path characters without a special meaning in the routers of Express and Fastify. */
const PLAIN_PATH = /^(?:\/[\w.~-]+)*$/;

/** A single object describes the whole application, because a proxy may remove the path of its URL. */
export const protectedResources: OptionKind<readonly ProtectedResource[]> = (name, given, context) => {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return readResource(name, given, context).map((resource) => ({ ...resource, path: '' }));
  if (given.length === 0) context.faults.fault(`${name} must be { resource }, or a list with at least one resource`);
  const resources = given.flatMap((each: unknown, at) => readResource(`${name}[${at}]`, each, context));
  const paths = resources.map(({ path }) => path);
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) context.faults.fault(`${name} has two resources with the path "${twice || '/'}"`);
  return resources.toSorted((one, other) => other.path.length - one.path.length);
};

function readResource(name: string, given: unknown, context: OptionContext): readonly ProtectedResource[] {
  const { faults } = context;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    faults.fault(`${name} must be { resource }, with the URL of this service`);
    return [];
  }
  const { resource, resourceName, resourceDocumentation, ...others } = given as Readonly<Record<string, unknown>>;
  for (const other of Object.keys(others)) faults.fault(`${name} has an unknown member "${other}"`);
  if (resourceName !== undefined && (typeof resourceName !== 'string' || resourceName.trim() === '')) {
    faults.fault(`${name}.resourceName must be text`);
  }
  if (resourceDocumentation !== undefined && !isPage(resourceDocumentation)) {
    faults.fault(`${name}.resourceDocumentation must be an http(s) URL`);
  }
  return [
    {
      ...placeOf(`${name}.resource`, resource, context),
      resourceName: resourceName as string | undefined,
      resourceDocumentation: resourceDocumentation as string | undefined,
    },
  ];
}

/** The well-known path goes between the resource's host and path (RFC 9728 §3.1). */
function placeOf(
  name: string,
  given: unknown,
  context: OptionContext,
): Pick<ProtectedResource, 'resource' | 'path' | 'metadataPath' | 'metadataUrl'> {
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
  return { resource: String(given), path, metadataPath, metadataUrl: `${origin}${metadataPath}` };
}

const isPage = (given: unknown): boolean =>
  typeof given === 'string' && URL.canParse(given) && /^https?:$/.test(new URL(given).protocol);
