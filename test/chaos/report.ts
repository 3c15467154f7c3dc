import type { Run } from './run.js';

const LAST_FAULTS = 6;
const LAST_LINES = 6;

export function report(run: Run, seed: number): void {
  const seconds = ((performance.now() - run.beganMs) / 1000).toFixed(0);
  const requests = [...run.answers.values()].reduce((sum, count) => sum + count, 0);
  console.log(`\n${requests} answers in ${seconds} s`);
  print(run.answers);
  const kinds = new Map<string, number>();
  const planned = run.history.faults.filter(({ isStall }) => isStall !== true);
  for (const { kind } of planned) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  console.log(`\n${planned.length} faults`);
  print(kinds);
  const stalls = run.history.faults.length - planned.length;
  if (stalls > 0)
    console.log(
      `The machine stalled a process ${stalls} times. Errors during a stall are no violation, as during a planned fault`,
    );
  if (run.violation === undefined) {
    console.log('\nNo violation found');
    return;
  }
  for (const { name, process } of [...run.services.replicas, ...run.services.pollers]) {
    const lines = process
      .printed()
      .split('\n')
      .filter((line) => /\b(?:WARN|ERROR)\b/.test(line));
    console.log([`\n${name}:`, ...lines.slice(-LAST_LINES)].join('\n'));
  }
  const { what, who, answer, credential } = run.violation;
  console.log(`\nFAILED: ${what}\nRepeat these faults with --seed ${seed}. The last faults:`);
  for (const line of run.history.lastLines(LAST_FAULTS, run.beganMs)) console.log(line);
  console.log(`Caller:     ${who}\nAnswer:     ${JSON.stringify(answer)}\nCredential: ${JSON.stringify(credential)}`);
}

function print(counts: ReadonlyMap<string, number>): void {
  for (const [kind, count] of [...counts].toSorted(([one], [other]) => one.localeCompare(other)))
    console.log(`${String(count).padStart(7)}  ${kind}`);
}
