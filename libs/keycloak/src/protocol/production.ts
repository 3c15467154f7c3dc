/** Every `NODE_ENV` except `development` and `test` means production, even an unset or misspelled value. */
export const isProduction = (nodeEnv: string | undefined): boolean => nodeEnv !== 'development' && nodeEnv !== 'test';

export const verifiesNoCertificate = (): boolean => process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';

export const runsInTests = (): boolean => process.env['NODE_ENV'] === 'test';

export const runsInProduction = (): boolean => isProduction(process.env['NODE_ENV']);
