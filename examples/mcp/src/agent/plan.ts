export interface Step {
  readonly tool: string;
  readonly args: Readonly<Record<string, number>>;
}

const PLANS: readonly (readonly [RegExp, string])[] = [
  [/^who am i$/i, 'whoami'],
  [/^read receipt (\d{1,9})$/i, 'read_receipt'],
  [/^approve order (\d{1,9})$/i, 'approve_order'],
];

/** Stands for the language model: it knows three wishes. */
export function planFor(wish: string): Step {
  for (const [pattern, tool] of PLANS) {
    const match = pattern.exec(wish.trim());
    if (match !== null) return { tool, args: match[1] === undefined ? {} : { id: Number(match[1]) } };
  }
  throw new Error(`The agent knows these wishes: "who am I", "read receipt 9876", "approve order 9876". Not: ${wish}`);
}
