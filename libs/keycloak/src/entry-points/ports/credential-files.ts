/** The port for entry points that read a key from a file, and read it again while they run. */
export { checkCredentialFile, credentialReader, FILE_REFRESH_MS } from '../../client-authentication/credential-file.js';
