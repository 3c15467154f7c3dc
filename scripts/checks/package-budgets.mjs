import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagesOf } from './installed-packages.mjs';

/** @typedef {import('../release/packed-library.mjs').Packed} Packed */
/** @typedef {Record<string, number>} Figures */

const BUDGETS = 'scripts/checks/package-budgets.json';
const OF_THE_TARBALL = 'remove files that no application needs';
const OF_THE_INSTALL = 'remove a dependency, or make it an optional peer';
/** @type {Record<string, string>} */
const CURES = {
  packedKilobytes: OF_THE_TARBALL,
  unpackedKilobytes: OF_THE_TARBALL,
  files: OF_THE_TARBALL,
  installedPackages: OF_THE_INSTALL,
  installedMegabytes: OF_THE_INSTALL,
};

/** @returns {Record<string, Figures>} by the name of the package */
export const readBudgets = () => JSON.parse(readFileSync(join(import.meta.dirname, 'package-budgets.json'), 'utf8'));

/** @param {Packed} packed @returns {Figures} */
export const figuresOf = ({ folder, files, size, unpackedSize }) => ({
  packedKilobytes: size / 1e3,
  unpackedKilobytes: unpackedSize / 1e3,
  files: files.length,
  ...figuresOfInstall([unpackedSize, ...packagesOf(folder, { peers: true }).values()]),
});

/** @param {number[]} sizes the bytes of each installed package, with the package itself */
export const figuresOfInstall = (sizes) => ({
  installedPackages: sizes.length,
  installedMegabytes: sizes.reduce((one, other) => one + other, 0) / 1e6,
});

/** @param {Figures} figures @param {Figures} [budget] @returns {string[]} */
export function faultsOfBudget(figures, budget = {}) {
  return Object.entries(figures).flatMap(([name, figure]) => {
    const limit = budget[name];
    if (!(Number(limit) > 0)) return [`${name} has no budget: add it to ${BUDGETS}`];
    if (figure <= Number(limit)) return [];
    return [
      `${name} is ${rounded(figure)}, and the budget is ${limit}: ${CURES[name]}, or raise the budget in ${BUDGETS}` +
        ' and say why in the commit. `npm run package:size` lists what is large',
    ];
  });
}

/** @param {number} figure */
export const rounded = (figure) => (Number.isInteger(figure) ? `${figure}` : figure.toFixed(2));
