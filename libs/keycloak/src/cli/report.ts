import { CHECKS, worstOf, type Finding, type Level } from '../checkup/finding.js';
import { withoutSecrets } from '../protocol/loggable-text.js';
import type { PermittedCall } from './administrator/permitted-calls.js';

export interface Examination {
  readonly findings: readonly Finding[];
  readonly permittedCalls?: readonly PermittedCall[];
}

export interface ReportSubject {
  readonly client: string;
  readonly issuer: string;
}

const SIGNS: Readonly<Record<Level, readonly [sign: string, color: number]>> = {
  ok: ['✓', 32],
  note: ['–', 36],
  warning: ['!', 33],
  error: ['✗', 31],
};

export const EXIT_CODES: Readonly<Record<Level, number>> = { ok: 0, note: 0, warning: 1, error: 2 };

export function jsonReport(subjects: readonly ReportSubject[], { findings, permittedCalls }: Examination): string {
  const [subject, ...others] = subjects;
  const worst = worstOf(findings);
  const counts = Object.fromEntries(
    Object.keys(SIGNS).map((level) => [level, findings.filter((finding) => finding.level === level).length]),
  );
  return JSON.stringify(
    {
      ...subject,
      ...(others.length === 0 ? {} : { others }),
      worst,
      counts,
      findings,
      ...(permittedCalls === undefined ? {} : { permittedCalls }),
    },
    undefined,
    2,
  );
}

export function textReport(
  subjects: readonly ReportSubject[],
  { findings, permittedCalls }: Examination,
  hasColors: boolean,
): string {
  const paint = (color: number, text: string): string => (hasColors ? `\u001b[${color}m${text}\u001b[0m` : text);
  const width = Math.max(...findings.map(({ check }) => check.length));
  const line = ({ check, level, message, cure }: Finding): string => {
    const [sign, color] = SIGNS[level];
    // An error message of a module may contain any text, including secrets.
    const first = `${paint(color, sign)} ${check.padEnd(width)}  ${withoutSecrets(message, [])}`;
    return cure === undefined || level === 'ok'
      ? first
      : `${first}\n${' '.repeat(width + 4)}${paint(color, '→')} ${cure}`;
  };
  const sorted = findings.toSorted((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check));
  const headed = ({ client, issuer }: ReportSubject): string[] => [
    paint(1, `${client} at ${issuer}`),
    ...sorted.filter((finding) => subjects.length === 1 || finding.issuer === issuer).map(line),
  ];
  const sections = subjects.map(headed).flatMap((section, at) => (at === 0 ? section : ['', ...section]));
  const calls = (permittedCalls ?? []).map(
    ({ client, audience, scopes, isInEachToken }) =>
      `  ${client} → ${audience}: ${[...scopes, ...(isInEachToken ? ['(each token)'] : [])].join(', ')}`,
  );
  return [
    ...(subjects.length === 0 ? sorted.map(line) : sections),
    ...(calls.length === 0 ? [] : ['', paint(1, 'Who may call whom'), ...calls]),
    '',
    summaryOf(findings),
  ].join('\n');
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (level: Level, word: string): string => {
    const many = findings.filter((finding) => finding.level === level).length;
    return `${many} ${word}${many === 1 ? '' : 's'}`;
  };
  return `${count('error', 'error')}, ${count('warning', 'warning')}, ${count('note', 'note')}.`;
}
