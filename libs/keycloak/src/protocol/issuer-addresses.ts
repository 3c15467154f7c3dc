import type { ConfigurationFaults } from './configuration-faults.js';

interface GivenAddresses {
  readonly issuer: string;
  readonly given: unknown;
  readonly internalServerUrl: string | undefined;
}

export interface IssuerAddresses {
  readonly issuer: string;
  readonly realmUrl: string;
}

const REALM_URL = /^(.*)(\/realms\/[^/]+)$/;

export function realmAddresses(
  { issuer, given, internalServerUrl }: GivenAddresses,
  faults: ConfigurationFaults,
): IssuerAddresses {
  const [, base = '', realm = ''] = REALM_URL.exec(issuer) ?? [];
  if (issuer !== '' && (realm === '' || issuer !== given)) {
    faults.fault('issuer must end in /realms/<realm>, without a final slash, as the "iss" of its tokens does');
  }
  if (realm !== '' && URL.canParse(issuer) && new URL(issuer).href !== issuer) faults.fault(asUrlsAre(issuer));
  if (internalServerUrl?.includes('/realms/') === true) faults.fault('internalServerUrl must end before /realms/');
  return { issuer, realmUrl: `${internalServerUrl ?? base}${realm}` };
}

/** A final slash is part of the issuer (RFC 8414 §2). */
export function serverAddresses(
  { issuer: withoutSlash, given, internalServerUrl }: GivenAddresses,
  faults: ConfigurationFaults,
): IssuerAddresses {
  const issuer = given === `${withoutSlash}/` ? `${withoutSlash}/` : withoutSlash;
  if (!URL.canParse(issuer)) return { issuer, realmUrl: issuer };
  const { href, origin } = new URL(issuer);
  // A query or fragment was recorded as a fault already.
  if (href !== issuer && href !== `${issuer}/` && !/[?#]/.test(issuer)) faults.fault(asUrlsAre(issuer));
  if (
    internalServerUrl !== undefined &&
    URL.canParse(internalServerUrl) &&
    new URL(internalServerUrl).pathname !== '/'
  ) {
    faults.fault('internalServerUrl must have no path, because it replaces the origin of issuer');
  }
  return { issuer, realmUrl: `${internalServerUrl ?? origin}${issuer.slice(origin.length)}` };
}

const asUrlsAre = (issuer: string): string => `issuer must be a normalized URL: ${new URL(issuer).href}`;
