/** Production: whether a process runs where only what is safe may run. The one rule, for the services and for the testing door. */

/**
 * By the value of `NODE_ENV`: `development` and `test` are not production, and all else is: unset, empty, misspelled, or a
 * name of one's own.
 */
export const isProduction = (nodeEnv: string | undefined): boolean => nodeEnv !== 'development' && nodeEnv !== 'test';

/** Whether Node takes any certificate from anybody, in this process. */
export const verifiesNoCertificate = (): boolean => process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';

/** Of this process. */
export const runsInProduction = (): boolean => isProduction(process.env['NODE_ENV']);
