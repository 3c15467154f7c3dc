import { randomBytes } from 'node:crypto';
import { percentile } from '../measure/statistics.mjs';
import { startValkey } from '../measure/valkey.mjs';
import { figure } from '../report.mjs';

export const name = 'denials';
export const title =
  'a denial from one of nine processes to all of them, over a real Valkey (valkey-server on the path)';

const REPLICAS = 9;
const DENIALS = 100;
const MORE = 10_000;

export async function run(bench) {
  const valkey = await startValkey();
  try {
    return await measure(bench, valkey);
  } finally {
    valkey.stop();
  }
}

async function measure({ start, rounds, say }, valkey) {
  const env = { VALKEY_URL: valkey.url, DENIAL_KEY: randomBytes(32).toString('base64') };
  const replicas = [];
  for (let at = 0; at < REPLICAS; at += 1) {
    replicas.push(await start(`replica ${at}`, ['bench/servers/revocation-replica.mjs'], { env }));
  }
  const p99s = [];
  let denied = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const tookMs = [];
    for (let at = 0; at < DENIALS; at += 1) {
      const deniedAt = await replicas[at % REPLICAS].ask('deny');
      denied += 1;
      tookMs.push((await refusedByAll(replicas, denied)) - deniedAt);
    }
    p99s.push(percentile(tookMs, 0.99));
    say(`round ${round}: median ${percentile(tookMs, 0.5).toFixed(1)} ms, p99 ${p99s.at(-1).toFixed(1)} ms`);
  }
  const micros = await cpuOfOne(replicas, denied, valkey);
  denied += DENIALS;
  const before = await memoryOf(valkey);
  for (let at = 0; at < MORE; at += 1) await replicas[0].ask('deny');
  await refusedByAll(replicas, denied + MORE);
  const bytes = ((await memoryOf(valkey)) - before) / MORE;
  return [
    figure(`a denial, until the last of ${REPLICAS} processes refuses: p99 of ${DENIALS}`, p99s, {
      unit: 'ms',
      must: { atMost: 100 },
      aim: { atMost: 30 },
    }),
    figure(`a denial, to each of ${REPLICAS} processes: CPU of Valkey`, [micros], { unit: 'µs' }),
    figure('a denial in the memory of Valkey', [bytes], { unit: 'bytes' }),
  ];
}

async function cpuOfOne(replicas, denied, valkey) {
  const before = await valkey.cpuMicros();
  for (let at = 1; at <= DENIALS; at += 1) {
    await replicas[at % REPLICAS].ask('deny');
    await refusedByAll(replicas, denied + at);
  }
  return ((await valkey.cpuMicros()) - before) / (DENIALS * REPLICAS);
}

async function refusedByAll(replicas, denied) {
  const since = [];
  for (const replica of replicas) {
    let answer = await replica.ask('refused');
    while (answer.size < denied) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      answer = await replica.ask('refused');
    }
    since.push(answer.refusedAt);
  }
  return Math.max(...since);
}

async function memoryOf({ command }) {
  const [key] = await command('KEYS', '*:revocations');
  return command('MEMORY', 'USAGE', key, 'SAMPLES', '0');
}
