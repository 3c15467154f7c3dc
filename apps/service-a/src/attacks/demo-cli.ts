/** DEMO: the public client at which users get tokens by published passwords. */
export const DEMO_CLI = { clientId: 'demo-cli' } as const;
