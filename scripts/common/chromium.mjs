import { delimiter, join } from 'node:path';
import { isExecutable } from './installed.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

export const HOW_TO_GET_CHROMIUM =
  'Install Chromium (Debian, Ubuntu: apt install chromium) or Chrome, or set CHROMIUM_PATH to its executable.';

/** @param {NodeJS.ProcessEnv} environment */
export function findChromium({ CHROMIUM_PATH, PATH = '' }) {
  if (CHROMIUM_PATH) return isExecutable(CHROMIUM_PATH) ? CHROMIUM_PATH : undefined;
  const candidates = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return candidates.find(isExecutable);
}
