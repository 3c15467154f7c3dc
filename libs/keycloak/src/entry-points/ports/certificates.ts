/** The port for entry points that check the certificates in their options. */
export { faultOfCertificates } from '../../http/ca-file.js';
