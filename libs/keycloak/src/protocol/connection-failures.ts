const TRUST_IT =
  "Name the file of that authority's certificate in tls.caFile (KEYCLOAK_CA_FILE or SERVICES_CA_FILE of a service), or in NODE_EXTRA_CA_CERTS if tls.caFile is not used.";
const BY_AN_UNKNOWN = `The authority that signed its certificate is not trusted. ${TRUST_IT}`;
const OTHER_AUTHORITY =
  'A different authority with the name of a trusted one signed its certificate. Compare it with the file in tls.caFile or NODE_EXTRA_CA_CERTS.';

const CERTIFICATE_FAILURES = {
  CERT_HAS_EXPIRED:
    'Its certificate or the certificate of its authority has expired. Renew it at the server, and check the clock of this machine.',
  CERT_NOT_YET_VALID: 'Its certificate is not valid yet. Compare the clocks of both machines.',
  DEPTH_ZERO_SELF_SIGNED_CERT: `Its certificate is self-signed and not trusted. Give it a certificate of your authority. ${TRUST_IT}`,
  SELF_SIGNED_CERT_IN_CHAIN: BY_AN_UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT: `The authority that signed its certificate is trusted, but the root above is missing. Trust needs the whole chain up to the root. ${TRUST_IT}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: BY_AN_UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${BY_AN_UNKNOWN} If the server leaves out intermediate certificates, let it send the whole chain.`,
  CERT_SIGNATURE_FAILURE: OTHER_AUTHORITY,
  INVALID_CA: 'The signer of its certificate is not a certificate authority. Get a certificate from an authority.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'Its certificate is for other host names. Use a host name from the certificate, or get a certificate for this name.',
  // Node's code for this failure is UNSPECIFIED; the `detail` has OpenSSL's message.
  certificate_refused:
    'OpenSSL refuses its certificate or the certificate of its authority. `detail` says why. If a key or digest is too weak, get a certificate with SHA-256 and at least 2048 bits of RSA (Node 24 and newer refuse shorter keys).',
} as const;

const PROXY_FAILURES = {
  proxy_unreachable:
    "The proxy can't be reached. Correct HTTPS_PROXY or HTTP_PROXY, or name the host in NO_PROXY if it needs no proxy.",
  proxy_refused:
    'The proxy refused the connection. If it answers 407, add credentials to the URL in HTTPS_PROXY or HTTP_PROXY. Otherwise check its rules, or name the host in NO_PROXY.',
  proxy_timeout: 'The proxy did not connect in time. Check that it works and can reach the host.',
} as const;

const HINTS: Readonly<Record<string, string>> = { ...CERTIFICATE_FAILURES, ...PROXY_FAILURES };

type CertificateFailure = keyof typeof CERTIFICATE_FAILURES;
export type ProxyFailureReason = keyof typeof PROXY_FAILURES;

const namesOf = <Name extends string>(table: Readonly<Record<Name, string>>): readonly Name[] =>
  Object.keys(table) as Name[];

/** A code outside this list becomes `connection_failed`, with the code as its detail. */
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

export function connectionHint(reason: string): { readonly hint?: string } {
  const hint = Object.hasOwn(HINTS, reason) ? HINTS[reason] : undefined;
  return hint === undefined ? {} : { hint };
}
