import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startFaultProxy, startTestServer } from 'keycloak-test-servers';
import { realmEnvironment } from '../../scripts/start/services.mjs';
import { stopSignal } from '../../scripts/common/processes.mjs';
import { REALM_FILE, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { contractServerAt } from '../../libs/keycloak-test-servers/contract/server.js';
import { ReplicatedServices } from '../support/replicated-services.js';
import { replayer, serviceItself, stranger, tokenUser } from './callers.js';
import { Faults } from './faults.js';
import { NoticeProxy } from './notices.js';
import { Random } from './random.js';
import { report } from './report.js';
import { Run } from './run.js';
import { schedule, type PlannedFault } from './schedule.js';
import { SessionUser } from './users.js';
import { TTL_SECONDS } from './verdicts.js';

const POLLERS = 2;
const SESSION_USERS = 6;
const TOKEN_USERS = 4;
const WARM_UP_MS = 2000;
const WELL_AFTER_MS = 10_000;
const STAYS_WELL_MS = 6000;
const SERVED_AGAIN_MS = 120_000;

const [minutes = 1, seed = 1, staleSeconds = 0] = process.argv.slice(3).map(Number);
const signal = stopSignal();
const mending: (() => Promise<unknown>)[] = [];
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.exitCode = 1;
  if (!signal.aborted) console.error(error);
} finally {
  for (const stop of mending.toReversed()) await stop().catch((error: Error) => fail(error.message));
}
process.exit();

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

async function main(): Promise<boolean> {
  console.log(`Chaos for ${minutes} min with seed ${seed}, and ${staleSeconds} s of stale answers`);
  const { run, faults } = await start();
  signal.addEventListener('abort', () => run.over.abort());
  const users = await callersOf(run);
  const callers = users.map((call) =>
    call.catch((error: Error) => run.report(`a caller failed: ${error.stack}`, 'the run itself', {}, {})),
  );
  await breakAll(run, faults).catch((error: Error) =>
    run.report(`a fault could not be made or repaired: ${error.stack}`, 'the run itself', {}, {}),
  );
  run.over.abort();
  await Promise.all(callers);
  report(run, seed);
  signal.throwIfAborted();
  return run.violation === undefined;
}

async function start(): Promise<{ readonly run: Run; readonly faults: Faults }> {
  const publicPort = await freePort();
  const noticePort = await freePort();
  const publicUrl = `http://localhost:${publicPort}`;
  const server = await startTestServer({
    realm: REALM_FILE,
    environment: (thisMachine) => ({
      ...realmEnvironment({ SIGNALS_EVENTS: 'true' }, publicPort)(thisMachine),
      SERVICE_A_INTERNAL_URL: `http://${thisMachine}:${noticePort}`,
    }),
    onProgress: console.log,
    signal,
  });
  mending.push(() => server.stop());
  const proxy = await startFaultProxy({ target: server.baseUrl });
  mending.push(() => proxy.stop());
  const services = await ReplicatedServices.start({
    server: { baseUrl: proxy.baseUrl, issuer: server.issuer },
    variables: {
      INTROSPECTION_TTL_SECONDS: String(TTL_SECONDS),
      // Services must refuse revoked credentials in time, despite results cached for five minutes.
      INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300',
      SIGNALS_POLL_SECONDS: '0.5',
      INTROSPECTION_STALE_IF_ERROR_SECONDS: String(staleSeconds),
    },
    pollers: POLLERS,
    publicUrl,
  });
  mending.push(() => services.stop());
  const faults = new Faults(services, proxy);
  await faults.prepare();
  const notices = await NoticeProxy.start(noticePort, publicUrl);
  mending.push(() => notices.stop());
  const keycloak = contractServerAt(server.baseUrl);
  mending.push(() => keycloak.stop());
  const run = new Run(services, keycloak, notices, publicUrl, `${server.baseUrl}/realms/${realmOf(server.issuer)}`);
  run.history.allowsStaleAnswers = staleSeconds > 0;
  notices.onUntaken = () => run.history.unverifiedNoticesMs.push(performance.now());
  console.log(`${services.replicas.length} processes are ready, on a server of the kind ${server.kind}`);
  return { run, faults };
}

async function callersOf(run: Run): Promise<Promise<void>[]> {
  const randomOf = (number: number): Random => new Random(seed * 1000 + number);
  const callers = [serviceItself(run, randomOf(1)), stranger(run, randomOf(2)), replayer(run, randomOf(3))];
  for (let number = 0; number < SESSION_USERS + TOKEN_USERS; number += 1) {
    const username = await run.keycloak.newUser('order-manager');
    const subject = await run.keycloak.subjectOf(username);
    const random = randomOf(10 + number);
    callers.push(
      number < SESSION_USERS
        ? new SessionUser(run, username, subject, random).call()
        : tokenUser(run, username, subject, random),
    );
  }
  return callers;
}

async function breakAll(run: Run, faults: Faults): Promise<void> {
  await sleep(WARM_UP_MS);
  const endMs = performance.now() + minutes * 60_000 - WARM_UP_MS - WELL_AFTER_MS - STAYS_WELL_MS;
  let before: Promise<void> = Promise.resolve();
  let calmMs = 0;
  for (const planned of schedule(seed)) {
    if (!planned.alongside) {
      await before;
      await pause(run, calmMs);
    }
    if (run.isOver || performance.now() > endMs) break;
    const now = make(run, faults, planned);
    before = Promise.all([before, now]).then(() => undefined);
    calmMs = planned.calmMs;
  }
  await before;
  await pause(run, WELL_AFTER_MS);
  const wellMs = performance.now();
  await pause(run, STAYS_WELL_MS);
  const unserved = (): [string, number][] => [...run.servedMs].filter(([, servedMs]) => servedMs < wellMs);
  // On a busy machine, services may answer too late for a while.
  const lastMs = wellMs + SERVED_AGAIN_MS;
  while (!run.isOver && unserved().length > 0 && performance.now() < lastMs) await pause(run, STAYS_WELL_MS);
  if (run.isOver) return;
  for (const [who, servedMs] of unserved()) run.report('a caller is not served again', who, { servedMs, wellMs }, {});
}

async function make(run: Run, faults: Faults, planned: PlannedFault): Promise<void> {
  const seen = run.history.begin(planned.kind, faults.targetOf(planned), faults.describe(planned));
  await faults.make(planned);
  seen.toMs = performance.now();
}

async function pause(run: Run, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: run.over.signal }).catch(() => undefined);
}
