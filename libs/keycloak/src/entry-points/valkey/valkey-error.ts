/** Its message is one word. Neither the message nor the hint contains a key, a value or a password. */
export class ValkeyError extends Error {
  constructor(
    message: string,
    /** The cure for an operator, if it is known. */
    readonly hint?: string,
  ) {
    super(message);
  }
}

const ERROR_WORD = /^[A-Z]+(?= |$)/;

/** The server answers `ERR` to a script that runs a command without the right to it. */
const REFUSED_RIGHT = /^NOPERM|^ERR ACL failure in script/;
const REFUSED_COMMAND = /no permissions to run the '([\w|-]+)' command/;

/** Keeps the first word of an error answer, because the rest may quote what was sent. */
export function answeredError(answer: string, user: string): ValkeyError {
  if (!REFUSED_RIGHT.test(answer)) {
    return new ValkeyError((ERROR_WORD.exec(answer)?.[0] ?? 'error_answer').toLowerCase());
  }
  const command = REFUSED_COMMAND.exec(answer)?.[1];
  const missing = command === undefined ? 'access to a key that it needs' : `the command "${command}"`;
  const cure = 'Give it the rights of its line in docs/replicas.md ("Users and rights").';
  return new ValkeyError('noperm', `The Valkey user "${user}" lacks ${missing}. ${cure}`);
}
