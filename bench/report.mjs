import { spread, written } from './measure/statistics.mjs';

/**
 * `samples` has one sample for each round. Each limit (`must` or `aim`) has the member `atMost`, `atLeast` or
 * `exactly`.
 */
export function figure(text, samples, { unit = '', must, aim, note } = {}) {
  const measured = spread(samples);
  const value = measured.median;
  return {
    figure: text,
    unit,
    samples,
    ...measured,
    must: bound(must, unit),
    aim: bound(aim, unit),
    ok: must === undefined ? undefined : within(value, must, samples),
    aimReached: aim === undefined ? undefined : within(value, aim, samples),
    ...(note === undefined ? {} : { note }),
  };
}

export function verdict(text, holds, seen, must) {
  return { figure: text, unit: '', seen, must, aim: 'the same', ok: holds, aimReached: holds };
}

export function table(figures) {
  const rows = figures.map((one) => [
    one.scenario,
    one.note === undefined ? one.figure : `${one.figure} (${one.note})`,
    one.must ?? '',
    one.aim ?? '',
    measuredText(one),
    one.ok === undefined ? '' : one.ok ? (one.aimReached ? 'ok, aim reached' : 'ok') : '**missed**',
  ]);
  const head = ['scenario', 'figure', 'must reach', 'aim', 'measured: median (min-max)', ''];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

export const missed = (figures) => figures.filter(({ ok }) => ok === false);

function measuredText({ seen, unit, median, min, max, samples }) {
  if (seen !== undefined) return seen;
  const range = samples.length > 1 ? ` (${written(min)}-${written(max)})` : '';
  return `${written(median)}${unit && ` ${unit}`}${range}`;
}

function within(value, { atMost, atLeast, exactly }, samples) {
  if (exactly !== undefined) return samples.every((sample) => sample === exactly);
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

function bound(limits, unit) {
  if (limits === undefined) return undefined;
  const { atMost, atLeast, exactly } = limits;
  const [sign, value] =
    atMost !== undefined ? ['≤', atMost] : atLeast !== undefined ? ['≥', atLeast] : ['exactly', exactly];
  return `${sign} ${written(value)}${unit && ` ${unit}`}`;
}
