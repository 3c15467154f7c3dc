/** Protected resource options: what a service says of itself to clients that do not know it, and where (RFC 9728), and the check at boot. */
import { url, type OptionContext, type OptionKind } from './option-kinds.js';

/** What clients are told at `/.well-known/oauth-protected-resource`, which the module serves to everybody. */
export interface ProtectedResourceOptions {
  /**
   * The URL at which clients reach this service, in the very spelling that they use: `https://orders.example.com`, with its path where it has one.
   * It is not the audience of tokens: with Keycloak that is a client id.
   */
  readonly resource: string;
  /** Its name for people (`resource_name`). */
  readonly resourceName?: string | undefined;
  /** The URL of a page for developers (`resource_documentation`). */
  readonly resourceDocumentation?: string | undefined;
}

export interface ProtectedResource extends ProtectedResourceOptions {
  /** Where its metadata are served. */
  readonly metadataPath: string;
  /** Where clients find them: `resource_metadata` of a challenge. */
  readonly metadataUrl: string;
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** Routers of Express and Fastify take each of these characters for itself. */
const PLAIN_PATH = /^(?:\/[\w.~-]+)*$/;

/** Undefined where none is given: nothing is served. */
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

/** The well-known path is put between the host and the path of the resource (RFC 9728 §3.1). */
function placeOf(
  name: string,
  given: unknown,
  context: OptionContext,
): Pick<ProtectedResource, 'resource' | 'metadataPath' | 'metadataUrl'> {
  const resource = url(name, given, context);
  const { origin, pathname } = URL.canParse(resource) ? new URL(resource) : new URL('https://none');
  const path = pathname === '/' ? '' : pathname;
  // Of what is no such URL at all, that is said.
  if (/^https?:[^?#@]+$/.test(resource)) {
    if (!PLAIN_PATH.test(path))
      context.faults.fault(`${name} can have no other signs in its path than letters, digits, - . _ ~`);
    // Clients compare it letter by letter (RFC 9728 §3.3).
    else if (given !== origin + path && given !== `${origin}/`) {
      context.faults.fault(`${name} must be written as URLs are, without a final slash: ${origin}${path}`);
    }
  }
  const metadataPath = `${WELL_KNOWN}${path}`;
  return { resource: String(given), metadataPath, metadataUrl: `${origin}${metadataPath}` };
}

const isPage = (given: unknown): boolean =>
  typeof given === 'string' && URL.canParse(given) && /^https?:$/.test(new URL(given).protocol);
