/** Everything except `development` and `test` means production, also an unset or misspelled `NODE_ENV`. */
export const isProduction = (nodeEnv: string | undefined): boolean => nodeEnv !== 'development' && nodeEnv !== 'test';

export const verifiesNoCertificate = (): boolean => process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';

export const runsInProduction = (): boolean => isProduction(process.env['NODE_ENV']);
