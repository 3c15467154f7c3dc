/** A fault of the command line or of the examined module. The message is shown without a stack. */
export class UsageError extends Error {}
