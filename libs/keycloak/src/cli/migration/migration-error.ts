/** The command could not run. The message says what to change. */
export class MigrationError extends Error {}
