/** Records how long the library waits for tokens, in your histogram. */
// #region subscriber
import { subscribe } from 'node:diagnostics_channel';
import { TOKEN_CHANNEL, type TokenMessage } from 'nestjs-keycloak-s2s/diagnostics';

export function measureTokens(histogram: { record(value: number, labels: Record<string, string>): void }): void {
  subscribe(TOKEN_CHANNEL, (message) => {
    const { grant, outcome, durationMs } = message as TokenMessage;
    histogram.record(durationMs, { grant, outcome });
  });
}
// #endregion subscriber
