import { chainContender } from '../measure/contenders.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { figure } from '../report.mjs';

export const name = 'telemetry';
export const title = 'metrics and traces of the chain, beside the chain without';

const REQUESTS = 6_000;
const METRICS = { MANAGEMENT_PORT: '0', MANAGEMENT_HOST: '127.0.0.1' };

export async function run(bench) {
  const { rounds, scale, say, signal, start } = bench;
  const collector = await start('collector', ['bench/servers/upstream.mjs']);
  const traces = (share) => ({
    ...METRICS,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: share,
  });
  const contenders = [
    chainContender('off', bench),
    chainContender('metrics', bench, { env: METRICS }),
    chainContender('one in a hundred', bench, { env: traces('0.01') }),
    chainContender('each', bench, { env: traces('1') }),
  ];
  const measured = await interleaved(contenders, { rounds, requests: REQUESTS * scale, say, signal });
  const of = (contender) => paired(measured[contender], measured.off, (a, b) => (a.cpuMicros / b.cpuMicros) * 100);
  const words = 'warm chain: CPU, of that without telemetry';
  return [
    figure(`${words}; metrics`, of('metrics'), { unit: '%' }),
    figure(`${words}; metrics, and one trace in a hundred`, of('one in a hundred'), { unit: '%' }),
    figure(`${words}; metrics, and each trace`, of('each'), { unit: '%' }),
  ];
}
