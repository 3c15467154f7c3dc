/** The message is one word; message and hint contain no key, value or password. */
export class ValkeyError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

const ERROR_WORD = /^[A-Z]+(?= |$)/;

/** The server answers `ERR` to a script that runs a command without permission. */
const REFUSED_RIGHT = /^NOPERM|^ERR ACL failure in script/;
const REFUSED_COMMAND = /no permissions to run the '([\w|-]+)' command/;

/** Keeps only the answer's first word, because the rest may quote the command. */
export function answeredError(answer: string, user: string): ValkeyError {
  if (!REFUSED_RIGHT.test(answer)) {
    return new ValkeyError((ERROR_WORD.exec(answer)?.[0] ?? 'error_answer').toLowerCase());
  }
  const command = REFUSED_COMMAND.exec(answer)?.[1];
  const missing = command === undefined ? 'access to a key that it needs' : `the command "${command}"`;
  const cure = 'Give it the rights of its line in docs/valkey.md ("Users and rights").';
  return new ValkeyError('noperm', `The Valkey user "${user}" lacks ${missing}. ${cure}`);
}
