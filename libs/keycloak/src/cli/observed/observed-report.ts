import type { EnforcementStatus } from '../../module/keycloak-status.js';
import { withoutSecrets } from '../../protocol/loggable-text.js';
import type { ReadDetails } from './read-details.js';

type Observed = Extract<EnforcementStatus, { readonly mode: 'observe' }>;

export const jsonReport = (read: readonly ReadDetails[]): string =>
  JSON.stringify(read, (_, value: unknown) => (typeof value === 'string' ? withoutSecrets(value, []) : value), 2);

export const textReport = (read: readonly ReadDetails[]): string =>
  read
    .map((one) => linesOf(one).map((line) => withoutSecrets(line, [])))
    .map((lines) => lines.join('\n'))
    .join('\n\n');

function linesOf(read: ReadDetails): readonly string[] {
  if ('unread' in read) return [`${read.url} could not be read: ${read.unread}.`];
  const { url, enforcement } = read;
  if (enforcement.mode === 'enforce') return [`${url} enforces access.`];
  return [headOf(url, enforcement), ...tableOf(enforcement), ...notesOf(enforcement).map((note) => `  ! ${note}`)];
}

function headOf(url: string, { until, isOverdue, calls: { admitted, refused } }: Observed): string {
  const period = isOverdue ? `still observes, although observeUntil was ${until}` : `observes until ${until}`;
  if (admitted + refused === 0) return `${url} ${period}. It has judged no answered call since its start.`;
  return `${url} ${period}. Since its start it would have refused ${refused} of ${admitted + refused} calls.`;
}

function tableOf({ refusals }: Observed): readonly string[] {
  if (refusals.length === 0) return [];
  const rows = refusals.map(({ count, code, reason, client = '(not verified)', route }) => [
    String(count),
    `${code} (${reason})`,
    client,
    route,
  ]);
  const all = [['calls', 'refusal', 'client', 'route'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map(([count = '', ...cells]) => {
    const padded = cells.map((cell, at) => cell.padEnd(widths[at + 1] ?? 0));
    return `  ${[count.padStart(widths[0] ?? 0), ...padded].join('  ')}`;
  });
}

function notesOf({ isOverdue, calls, unlisted, startFaults }: Observed): readonly string[] {
  const { refusedByBoth, failed, dropped } = calls;
  const reasons = Object.entries(failed).map(([reason, count]) => `${reason} ${count}`);
  return [
    ...(isOverdue ? ['The next start fails.'] : []),
    ...(unlisted > 0 ? [`Refused calls of further kinds: ${unlisted}.`] : []),
    ...(refusedByBoth > 0 ? [`Calls that the service refused, too: ${refusedByBoth}.`] : []),
    ...(reasons.length > 0 ? [`Calls that could not be judged: ${reasons.join(', ')}.`] : []),
    ...(dropped > 0 ? [`Calls that were not judged, because too many judgements were in flight: ${dropped}.`] : []),
    ...startFaults.map((fault) => `The start would fail: ${fault}`),
  ];
}
