/** The port for certificates: how a door checks those that it is given. */
export { faultOfCertificates } from '../../http/ca-file.js';
