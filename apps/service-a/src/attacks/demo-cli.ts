/** DEMO: the public client at which users get tokens by passwords that the realm publishes. */
export const DEMO_CLI = { clientId: 'demo-cli' } as const;
