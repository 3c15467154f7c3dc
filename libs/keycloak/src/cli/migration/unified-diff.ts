const CONTEXT = 3;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

export function unifiedDiff(name: string, before: string, after: string): string {
  const lines = compare(linesOf(before), linesOf(after));
  const isNear = lines.map((_, at) => lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(isChange));
  let [oldLine, newLine] = [1, 1];
  let text = `--- a/${name}\n+++ b/${name}\n`;
  for (let at = 0; at < lines.length;) {
    const hunk = lines.slice(at, isNear[at] === true ? endOfRun(isNear, at) : at + 1);
    const removed = hunk.filter(({ sign }) => sign !== '+').length;
    const added = hunk.filter(({ sign }) => sign !== '-').length;
    if (isNear[at] === true) {
      text += `@@ -${oldLine},${removed} +${newLine},${added} @@\n`;
      text += hunk.map((line) => `${line.sign}${line.text}\n`).join('');
    }
    oldLine += removed;
    newLine += added;
    at += hunk.length;
  }
  return text;
}

const isChange = ({ sign }: Line): boolean => sign !== ' ';

function endOfRun(flags: readonly boolean[], from: number): number {
  const end = flags.indexOf(false, from);
  return end === -1 ? flags.length : end;
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  const trace: ReadonlyMap<number, number>[] = [];
  const furthest = new Map<number, number>([[1, 0]]);
  for (let edits = 0; ; edits += 1) {
    trace.push(new Map(furthest));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = stepOn(furthest, diagonal, edits).x;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      furthest.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return walkBack(trace, before, after);
    }
  }
}

interface Step {
  readonly isAdded: boolean;
  readonly x: number;
}

function stepOn(furthest: ReadonlyMap<number, number>, diagonal: number, edits: number): Step {
  const [left, right] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1];
  const isAdded = diagonal === -edits || (diagonal !== edits && left < right);
  return { isAdded, x: isAdded ? right : left + 1 };
}

function walkBack(
  trace: readonly ReadonlyMap<number, number>[],
  before: readonly string[],
  after: readonly string[],
): Line[] {
  const lines: Line[] = [];
  let [x, y] = [before.length, after.length];
  for (const [edits, furthest] of [...trace.entries()].toReversed()) {
    const step = stepOn(furthest, x - y, edits);
    const start = edits === 0 ? { x: 0, y: 0 } : { x: step.x, y: step.x - (x - y) };
    while (x > start.x && y > start.y) {
      [x, y] = [x - 1, y - 1];
      lines.push({ sign: ' ', text: before[x] ?? '' });
    }
    if (edits === 0) break;
    if (step.isAdded) y -= 1;
    else x -= 1;
    lines.push(step.isAdded ? { sign: '+', text: after[y] ?? '' } : { sign: '-', text: before[x] ?? '' });
  }
  return lines.toReversed();
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}
