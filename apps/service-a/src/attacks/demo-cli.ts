/** DEMO: the public client at which users get tokens with their passwords, which the realm publishes. */
export const DEMO_CLI = { clientId: 'demo-cli' } as const;
