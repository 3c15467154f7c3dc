const PACKAGES = ['nestjs-keycloak-s2s', 'keycloak-test-servers'];
const NUMBER = String.raw`\d+\.\d+\.\d+(?:-[\w.]+)?`;
/** The version of these packages does not follow the version of a release. */
export const VERSIONED_ALONE = ['nestjs-keycloak-s2s-mcp'];
const NAMES = PACKAGES.join('|');
const RANGE = new RegExp(`("(?:${NAMES})": "\\^)${NUMBER}(")`, 'g');
const TARBALL = new RegExp(`(\\b(?:${NAMES})-)${NUMBER}(\\.tgz)`, 'g');
const OWN = new RegExp(`("name": "(?:${NAMES})",\\n\\s+"version": ")${NUMBER}(")`, 'g');
const LOCKED = new RegExp(`("libs/(?:${NAMES})": \\{\\n\\s+"version": ")${NUMBER}(")`, 'g');

/** @param {string} version */
export const npmTag = (version) => (/^0\.|-/.test(version) ? 'next' : undefined);

/** @param {string} file @param {string} text @param {string} version @returns {string} the text with the version */
export function withVersion(file, text, version) {
  if (file.endsWith('.md')) return file === 'CHANGELOG.md' ? text : text.replaceAll(TARBALL, `$1${version}$2`);
  if (file.endsWith('.ts')) return text.replace(new RegExp(`(VERSION = ')${NUMBER}(')`), `$1${version}$2`);
  const edited = [RANGE, OWN, LOCKED].reduce((each, pattern) => each.replaceAll(pattern, `$1${version}$2`), text);
  if (!file.endsWith('package.json') || edited.match(OWN) === null) return edited;
  const { publishConfig = {}, ...manifest } = JSON.parse(edited);
  const { tag: _, ...others } = publishConfig;
  const tag = npmTag(version);
  const config = tag === undefined ? others : { ...others, tag };
  return `${JSON.stringify({ ...manifest, publishConfig: config }, null, 2)}\n`;
}

/** @param {string} changelog @param {string} version @param {Date} today */
export function withChangelogHeading(changelog, version, today) {
  if (changelog.includes(`\n## [${version}] - `)) throw new Error(`CHANGELOG.md has a section for ${version} already`);
  return changelog.replace(
    '\n## [Unreleased]\n',
    `\n## [Unreleased]\n\n## [${version}] - ${today.toISOString().slice(0, 10)}\n`,
  );
}
