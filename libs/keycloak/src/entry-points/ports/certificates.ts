export { faultOfCertificates } from '../../http/ca-file.js';
