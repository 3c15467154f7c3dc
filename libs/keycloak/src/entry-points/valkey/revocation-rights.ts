import { randomUUID } from 'node:crypto';
import { revocationKeys } from './revocation-keys.js';
import type { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';
import { ValkeyScript } from './valkey-script.js';

const DEADLINE_MS = 2000;

const [KEY, ABSENT] = ['@', '!'];

type Command = readonly [name: string, ...args: string[]];

/** The scripts' commands, with arguments that make each command fail or change nothing. */
const READ: readonly Command[] = [['TYPE', KEY], ['TIME']];
const STATE: readonly Command[] = [...READ, ['HGET', KEY, 'epoch'], ['HSET', KEY, 'a', 'field', 'without-a-value']];
const STREAM: readonly Command[] = [
  ...READ,
  ['XRANGE', KEY, '-', '+', 'COUNT', '1'],
  ['XREVRANGE', KEY, '+', '-', 'COUNT', '1'],
  ['XREAD', 'COUNT', '1', 'STREAMS', KEY, '0-0'],
  ['XLEN', KEY],
  ['XADD', KEY, '0-0', 'an-id', 'that-is-refused'],
  ['XDEL', KEY, '0-0'],
  ['DEL', ABSENT],
];
const PROOF: readonly Command[] = [...READ, ['GET', KEY]];
const LEASE: readonly Command[] = [
  ...READ,
  ['GET', KEY],
  ['PTTL', KEY],
  ['SET', KEY, 'x', 'PX', '0'],
  ['PEXPIRE', KEY, 'not-a-number'],
  ['DEL', ABSENT],
];
const COUNT: readonly Command[] = [
  ['INCR', ABSENT],
  ['DEL', ABSENT],
];

/**
 * Returns the commands that the user may not run. The server checks the rights even if the arguments are wrong.
 *
 * KEYS: the key. ARGV: the name of a missing key, then the commands in JSON.
 */
const TRY_ALL = `
local missing = {}
for at = 2, #ARGV do
  local command = cjson.decode(ARGV[at])
  for part = 1, #command do
    if command[part] == '${KEY}' then command[part] = KEYS[1] elseif command[part] == '${ABSENT}' then command[part] = ARGV[1] end
  end
  local answer = redis.pcall(unpack(command))
  local said = type(answer) == 'table' and answer.err or ''
  local isRefused = string.find(said, 'NOPERM') or string.find(said, 'ACL failure') or string.find(said, "can't run this")
  if isRefused and not string.find(said, ' key') then missing[#missing + 1] = string.lower(command[1]) end
end
return missing
`;

const TRY = new ValkeyScript(TRY_ALL);
const TRY_TO_READ = new ValkeyScript(TRY_ALL, 'read_only');
const NOTHING = new ValkeyScript('return 1');
const NOTHING_TO_READ = new ValkeyScript('return 1', 'read_only');

export async function missingRights(
  connection: ValkeyConnection,
  issuer: string,
  isPoller: boolean,
): Promise<readonly string[]> {
  if (await isRefused(NOTHING.run(connection, [], [], DEADLINE_MS))) return ['eval'];
  if (await isRefused(NOTHING_TO_READ.run(connection, [], [], DEADLINE_MS))) return ['eval_ro'];
  if (await isRefused(connection.send(['INFO', 'memory'], DEADLINE_MS))) return ['info'];
  const { state, stream, proof, lease, leases } = revocationKeys(issuer);
  const missing = [
    await tried(connection, TRY, state, STATE),
    await tried(connection, TRY, stream, STREAM),
    await tried(connection, TRY_TO_READ, proof, PROOF),
  ];
  for (const key of isPoller ? [lease, leases, proof] : []) missing.push(await tried(connection, TRY, key, LEASE));
  if (isPoller && !missing.flat().includes('del')) missing.push(await tried(connection, TRY, leases, COUNT));
  return [...new Set(missing.flat())];
}

async function tried(
  connection: ValkeyConnection,
  script: ValkeyScript,
  key: string,
  commands: readonly Command[],
): Promise<readonly string[]> {
  const args = [`${key}:${randomUUID()}`, ...commands.map((command) => JSON.stringify(command))];
  try {
    return (await script.run(connection, [key], args, DEADLINE_MS)) as readonly string[];
  } catch (error) {
    if (isNoPermission(error)) return [key];
    throw error;
  }
}

async function isRefused(sending: Promise<unknown>): Promise<boolean> {
  try {
    await sending;
    return false;
  } catch (error) {
    if (isNoPermission(error)) return true;
    throw error;
  }
}

const isNoPermission = (error: unknown): boolean => error instanceof ValkeyError && error.message === 'noperm';
