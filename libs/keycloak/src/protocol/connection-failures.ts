/** Connection failures: the codes of Node, the system and undici for a request that got no answer. */

/** Node does not trust the certificate of the other side. */
const CERTIFICATE_FAILURES = [
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
] as const;

/** What an operator can act on; any other code becomes `connection_failed`, with the code as its detail. */
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
  ...CERTIFICATE_FAILURES,
  'connection_failed',
] as const;

export type ConnectionFailure = (typeof CONNECTION_FAILURES)[number];

const KNOWN: ReadonlySet<unknown> = new Set(CONNECTION_FAILURES);

export function connectionFailure(code: unknown): ConnectionFailure {
  return KNOWN.has(code) ? (code as ConnectionFailure) : 'connection_failed';
}

const OF_CERTIFICATES: ReadonlySet<string> = new Set(CERTIFICATE_FAILURES);

/** Whether there was a connection, and Node did not trust it. */
export const isCertificateFailure = (reason: string): boolean => OF_CERTIFICATES.has(reason);

/** For the log of the operator: what to do about a certificate that Node does not trust. */
export function certificateHint(reason: string): { readonly hint?: string } {
  if (!isCertificateFailure(reason)) return {};
  const hint =
    'Node does not trust its certificate. For an authority of your own, set NODE_EXTRA_CA_CERTS to its file.';
  return { hint };
}
