import { colorful, paint } from '../common/processes.mjs';

/** @typedef {import('./examine-stack.mjs').Section} Section */
/** @typedef {import('./processes-to-examine.mjs').Finding} Finding */

/**
 * @param {string} title
 * @param {readonly Section[]} sections
 */
export async function printSections(title, sections) {
  const { textReport } = await import('../../libs/keycloak/dist/cli/report.js');
  console.log(`${paint(1, `Examined: ${title}`)}\n`);
  for (const { names, report } of sections) {
    const { client, issuer, others = [] } = report;
    const subjects = client === undefined || issuer === undefined ? [] : [{ client, issuer }, ...others];
    console.log(paint(36, names.join(', ')));
    console.log(`${textReport(subjects, report, colorful())}\n`);
  }
}

/** @typedef {{ readonly title: string, readonly sections: readonly Section[] }} ExaminedStack */

/** @param {readonly ExaminedStack[]} stacks */
export function printSummary(stacks) {
  const bad = faultsOf(stacks);
  const count = stacks.flatMap(({ sections }) => sections.flatMap(({ names }) => names)).length;
  if (bad.length === 0) {
    console.log(paint(32, `All is well: ${count} processes, no error and no warning.`));
    return;
  }
  console.log(paint(1, 'To correct:'));
  for (const { finding, where } of bad) {
    const [sign, color] = finding.level === 'error' ? ['✗', 31] : ['!', 33];
    console.log(`${paint(Number(color), String(sign))} ${finding.message} (${where})`);
    console.log(`  ${paint(Number(color), '→')} ${finding.cure ?? ''}`);
  }
}

/**
 * An error in one stack does not explain a symptom in a different stack.
 *
 * @param {readonly ExaminedStack[]} stacks
 */
export const faultsOf = (stacks) =>
  stacks.flatMap(({ title, sections }) =>
    distinctFaults(sections).map(({ finding, names }) => {
      const where = names.join(', ');
      return { finding, where: stacks.length > 1 ? `${title}: ${where}` : where };
    }),
  );

/** @param {readonly Section[]} sections */
export function distinctFaults(sections) {
  /** @type {Map<string, { finding: Finding, names: string[] }>} */
  const found = new Map();
  for (const { names, report } of sections) {
    for (const finding of report.findings.filter(({ level }) => level === 'error' || level === 'warning')) {
      const known = found.get(finding.message) ?? { finding, names: [] };
      known.names.push(...names);
      found.set(finding.message, known);
    }
  }
  const all = [...found.values()];
  const causes = all.filter(({ finding }) => finding.isSymptom !== true);
  return causes.some(({ finding }) => finding.level === 'error') ? causes : all;
}
