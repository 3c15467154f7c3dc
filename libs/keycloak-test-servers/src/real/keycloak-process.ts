import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtServer, keepBuiltServer } from './keycloak-distribution.js';
import { LogTail, waitUntilReady } from './keycloak-readiness.js';
import {
  CERTIFICATE_FILE,
  KEY_FILE,
  javaOptions,
  keycloakVariables,
  tlsVariables,
  type KeycloakSettings,
} from './keycloak-settings.js';

export interface KeycloakProcess {
  readonly baseUrl: string;
  readonly httpsUrl: string | undefined;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const KILL_AFTER_SECONDS = 10;

/** If the parent process dies, standard input closes, and the script stops the command. */
const SUPERVISOR = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
  cat <&3 >/dev/null
  kill -TERM "$server"
  sleep ${KILL_AFTER_SECONDS}
  rm -rf "$RUN_FOLDER"
  kill -KILL 0
) >/dev/null 2>&1 &
trap 'kill -TERM "$server"' TERM
while kill -0 "$server" 2>/dev/null; do
  wait "$server"
  status=$?
done
rm -rf "$RUN_FOLDER"
trap '' TERM
kill -TERM 0
exit "$status"
`;

export async function runFromDistribution(
  home: string,
  java: string,
  settings: KeycloakSettings,
): Promise<KeycloakProcess> {
  const baseUrl = `http://localhost:${settings.port}`;
  const runFolder = await prepareRunFolder(home, settings);
  const environment = settings.environment('localhost');
  const log = new LogTail();
  const child = spawn(
    '/bin/sh',
    ['-c', SUPERVISOR, 'keycloak', `${runFolder}/bin/kc.sh`, 'start-dev', '--import-realm'],
    {
      cwd: runFolder,
      // Keycloak runs in a separate process group, so Ctrl-C reaches only this process, which then stops Keycloak.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...fromOurEnvironment(),
        ...environment,
        ...keycloakVariables(
          baseUrl,
          { http: settings.port, management: settings.managementPort },
          '127.0.0.1',
          settings,
        ),
        ...(settings.tls && tlsVariables(runFolder, settings.tls.port)),
        JAVA: java,
        JAVA_OPTS_APPEND: `-Djava.io.tmpdir=${runFolder}/tmp -XX:-UsePerfData ${javaOptions(environment)}`,
        RUN_FOLDER: runFolder,
      },
    },
  );
  log.read(child.stdout);
  log.read(child.stderr);
  // The standard input may emit an error after the process has ended.
  child.stdin.on('error', () => undefined);
  let ended: string | undefined;
  const end = new Promise<void>((resolve) => {
    child.once('error', (error) => resolve(void (ended ??= error.message)));
    child.once('exit', (code, signal) => resolve(void (ended ??= signal ?? `exit code ${code}`)));
  });
  let stopped: Promise<void> | undefined;
  const stop = (graceSeconds = KILL_AFTER_SECONDS + 5): Promise<void> =>
    (stopped ??= (async () => {
      child.stdin.end();
      await Promise.race([end, sleep(graceSeconds * 1000, undefined, { ref: false })]);
      if (ended === undefined && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await end;
      await rm(runFolder, { recursive: true, force: true });
    })());
  const kill = async (): Promise<void> => {
    // Kills the whole process group, since the death of the supervisor sends Keycloak only SIGTERM.
    if (stopped === undefined && ended === undefined && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await stop();
  };
  try {
    await waitUntilReady({
      healthUrl: `http://localhost:${settings.managementPort}/health/ready`,
      issuer: `${baseUrl}/realms/${settings.realm}`,
      timeoutSeconds: settings.startupTimeoutSeconds,
      ended: () => Promise.resolve(ended),
      lastLines: log.lines,
      onProgress: settings.onProgress,
      signal: settings.signal,
    });
    await keepBuiltServer(join(runFolder, 'lib', 'quarkus'), builtServer(home, settings.features));
    const httpsUrl = settings.tls && `https://localhost:${settings.tls.port}`;
    return { baseUrl, httpsUrl, stop: () => stop(), kill };
  } catch (error) {
    // Keycloak ignores SIGTERM while it starts.
    await stop(0);
    throw error;
  }
}

async function prepareRunFolder(home: string, settings: KeycloakSettings): Promise<string> {
  const { realm, realmJson, tls, features } = settings;
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-keycloak-s2s-'));
  try {
    for (const name of ['bin', 'data/import', 'lib', 'providers', 'themes', 'tmp']) {
      await mkdir(join(folder, name), { recursive: true });
    }
    // kc.sh must be a copy, because its real path determines Keycloak's home folder.
    for (const name of ['bin/kc.sh', 'conf', 'lib/quarkus-run.jar', 'version.txt']) {
      await cp(join(home, name), join(folder, name), { recursive: true });
    }
    for (const name of ['lib/app', 'lib/lib']) await symlink(join(home, name), join(folder, name));
    const built = builtServer(home, features);
    const quarkus = existsSync(built) ? built : join(home, 'lib', 'quarkus');
    await cp(quarkus, join(folder, 'lib', 'quarkus'), { recursive: true });
    await writeFile(join(folder, 'data', 'import', `${realm}-realm.json`), realmJson);
    if (tls !== undefined) {
      await writeFile(join(folder, CERTIFICATE_FILE), tls.cert);
      await writeFile(join(folder, KEY_FILE), tls.key, { mode: 0o600 });
    }
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function fromOurEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'JAVA_HOME'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
