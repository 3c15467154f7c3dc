export { checkCredentialFile, credentialReader, FILE_REFRESH_MS } from '../../client-authentication/credential-file.js';
