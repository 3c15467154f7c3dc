/** The clients with roles that Keycloak creates in each realm. */
export const BUILT_IN_CLIENTS: readonly string[] = ['account', 'broker', 'realm-management'];

/**
 * Leaves out Keycloak's own clients. The default client scope `roles` adds `account` to the tokens of almost every
 * user.
 */
export const audiencesOfServices = (audiences: readonly string[]): readonly string[] =>
  audiences.filter((audience) => !BUILT_IN_CLIENTS.includes(audience));
