import type { Variables } from './variables.js';

export interface TelemetrySettings {
  readonly management?: { readonly host: string; readonly port: number };
  readonly traces?: 'http/protobuf' | 'http/json';
}

export function readTelemetrySettings(
  variables: Variables,
  listening: { readonly host: string; readonly port: number },
): TelemetrySettings | undefined {
  const management = readManagement(variables, listening);
  const traces = readTraces(variables);
  const isDisabled = variables.flag('OTEL_SDK_DISABLED');
  if (isDisabled || (management ?? traces) === undefined) return undefined;
  return { ...(management === undefined ? {} : { management }), ...(traces === undefined ? {} : { traces }) };
}

function readManagement(
  variables: Variables,
  listening: { readonly host: string; readonly port: number },
): TelemetrySettings['management'] {
  const isSet = variables.text('MANAGEMENT_PORT', '') !== '';
  const exporter = variables.oneOf('OTEL_METRICS_EXPORTER', isSet ? ['prometheus', 'none'] : ['none', 'prometheus']);
  if (!isSet) {
    if (exporter === 'prometheus') variables.fault('OTEL_METRICS_EXPORTER=prometheus needs MANAGEMENT_PORT');
    return undefined;
  }
  const port = variables.port('MANAGEMENT_PORT', 0);
  const host = variables.text('MANAGEMENT_HOST', listening.host);
  if (port !== 0 && port === listening.port) {
    variables.fault('MANAGEMENT_PORT must differ from PORT, which anybody can reach');
  }
  return exporter === 'none' ? undefined : { host, port };
}

function readTraces(variables: Variables): TelemetrySettings['traces'] {
  const areSet = [
    variables.isUrlSet('OTEL_EXPORTER_OTLP_ENDPOINT'),
    variables.isUrlSet('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'),
  ];
  const isSet = areSet.includes(true);
  const exporter = variables.oneOf('OTEL_TRACES_EXPORTER', isSet ? ['otlp', 'none'] : ['none', 'otlp']);
  const protocol = variables.oneOf('OTEL_EXPORTER_OTLP_PROTOCOL', ['http/protobuf', 'http/json']);
  return exporter === 'none' ? undefined : protocol;
}
