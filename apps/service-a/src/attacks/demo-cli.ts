/** DEMO: the public client that gets tokens for users whose passwords are published. */
export const DEMO_CLI = { clientId: 'demo-cli' } as const;
