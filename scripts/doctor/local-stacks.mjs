// npm start and npm run poller describe their processes over a socket. Only the same user can open the socket, and no
// settings reach the disk.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

/**
 * @typedef {{ service: string, name: string, port: number, pid?: number | undefined, environment: NodeJS.ProcessEnv }} LocalProcess
 */

/**
 * @typedef {{ title: string, keycloak: { baseUrl: string, realm: string, issuer: string }, processes: LocalProcess[] }} LocalStack
 */

const ANSWER_MS = 5000;

/**
 * @param {() => LocalStack} describe
 * @param {string} [folder] of the sockets
 * @param {string} [clone] the checkout of the stack
 */
export async function tellWhatRuns(describe, folder = socketFolder(), clone = process.cwd()) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!isOwn(folder)) throw new Error(`${folder} belongs to another user, or others may open it: remove it`);
  const path = join(folder, `${prefixOf(clone)}${process.pid}`);
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => undefined).end(JSON.stringify(describe()));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(path, () => resolve(undefined));
  });
  // The socket must not keep this process alive.
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve(undefined));
      rmSync(path, { force: true });
    });
}

/**
 * @param {string} [folder] of sockets
 * @returns {Promise<LocalStack[]>}
 */
export async function localStacks(folder = socketFolder()) {
  if (!isOwn(folder)) return [];
  const prefix = prefixOf(process.cwd());
  const own = readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ name, pid: Number(name.slice(prefix.length)) }))
    .toSorted((one, other) => one.pid - other.pid);
  const told = await Promise.all(own.map(({ name }) => ask(join(folder, name))));
  return told.filter((stack) => stack !== undefined);
}

/**
 * Returns undefined for a socket that a killed process has left behind.
 *
 * @param {string} path
 * @returns {Promise<LocalStack | undefined>}
 */
async function ask(path) {
  const socket = connect(path).setTimeout(ANSWER_MS, () => socket.destroy(new Error('late')));
  try {
    return /** @type {LocalStack} */ (await json(socket));
  } catch {
    return undefined;
  }
}

function socketFolder() {
  return join(tmpdir(), `nestjs-keycloak-s2s-${userInfo().uid}`);
}

/** Returns a short hash of the checkout's path, since socket paths have a length limit. @param {string} clone */
const prefixOf = (clone) => `${createHash('sha256').update(realpathSync(clone)).digest('hex').slice(0, 12)}-`;

/** @param {string} folder */
function isOwn(folder) {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === userInfo().uid && (found.mode & 0o077) === 0;
}
