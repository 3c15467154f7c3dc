const TRUST_IT =
  "Name the file of that authority's certificate in tls.caFile (KEYCLOAK_CA_FILE or SERVICES_CA_FILE of a service), or in NODE_EXTRA_CA_CERTS where tls.caFile is not used.";
const BY_AN_UNKNOWN = `Its certificate is of an authority that is not trusted. ${TRUST_IT}`;
const OTHER_AUTHORITY =
  'Its certificate is of another authority than the one of the same name that is trusted. Compare it with the file in tls.caFile or NODE_EXTRA_CA_CERTS.';

const CERTIFICATE_FAILURES = {
  CERT_HAS_EXPIRED:
    'Its certificate, or that of its authority, has expired: renew it there. See the clock of this machine, too.',
  CERT_NOT_YET_VALID: 'Its certificate is not valid yet: compare the clock of this machine with its own.',
  DEPTH_ZERO_SELF_SIGNED_CERT: `Its certificate is signed by itself, and not trusted. Give it one of your authority. ${TRUST_IT}`,
  SELF_SIGNED_CERT_IN_CHAIN: BY_AN_UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT: `Its authority is known, and that one's own authority is not: it needs the whole chain, up to the root. ${TRUST_IT}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: BY_AN_UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${BY_AN_UNKNOWN} Or it sends its own certificate without those of the authorities between: have it send the whole chain.`,
  CERT_SIGNATURE_FAILURE: OTHER_AUTHORITY,
  INVALID_CA: 'Its certificate is signed by one that may sign none: have it made by an authority.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'Its certificate is for other host names: call it by a name that is in the certificate, or have one made for this name.',
  // Node's code is UNSPECIFIED; the `detail` has OpenSSL's message.
  certificate_refused:
    'OpenSSL refuses its certificate, or that of its authority, for what detail says. A key or digest that is too weak: have it made anew, RSA with at least 2048 bits (Node 24 and newer take no shorter one), and with SHA-256.',
} as const;

const PROXY_FAILURES = {
  proxy_unreachable:
    "The proxy can't be reached: mend HTTPS_PROXY or HTTP_PROXY, or name the host in NO_PROXY if it is reached without.",
  proxy_refused:
    'The proxy let nothing through to there: with 407 it wants credentials in the URL of HTTPS_PROXY or HTTP_PROXY, with another status see its rules. Or name the host in NO_PROXY.',
  proxy_timeout: 'The proxy opened no connection in time: see whether it is well, and whether it reaches the host.',
} as const;

const HINTS: Readonly<Record<string, string>> = { ...CERTIFICATE_FAILURES, ...PROXY_FAILURES };

type CertificateFailure = keyof typeof CERTIFICATE_FAILURES;
export type ProxyFailureReason = keyof typeof PROXY_FAILURES;

const namesOf = <Name extends string>(table: Readonly<Record<Name, string>>): readonly Name[] =>
  Object.keys(table) as Name[];

/** Any other code becomes `connection_failed`, with the code as its detail. */
export const CONNECTION_FAILURES = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  ...namesOf<CertificateFailure>(CERTIFICATE_FAILURES),
  ...namesOf<ProxyFailureReason>(PROXY_FAILURES),
  'connection_failed',
] as const;

export type ConnectionFailure = (typeof CONNECTION_FAILURES)[number];

const KNOWN: ReadonlySet<unknown> = new Set(CONNECTION_FAILURES);

export function connectionFailure(code: unknown): ConnectionFailure {
  if (code === 'UNSPECIFIED') return 'certificate_refused';
  return KNOWN.has(code) ? (code as ConnectionFailure) : 'connection_failed';
}

export const isCertificateFailure = (reason: string): boolean => Object.hasOwn(CERTIFICATE_FAILURES, reason);

export const isProxyFailure = (reason: string): boolean => Object.hasOwn(PROXY_FAILURES, reason);

export function connectionHint(reason: string): { readonly hint?: string } {
  const hint = Object.hasOwn(HINTS, reason) ? HINTS[reason] : undefined;
  return hint === undefined ? {} : { hint };
}
