import { execFileSync } from 'node:child_process';

/**
 * @typedef {ReadonlyMap<string, string>} Tags the commit of each tag
 * @typedef {{ repository: string, ref: string, tag: string | undefined }} Use
 */

const USES = /(\buses:\s*)([\w.-]+\/[\w.-]+)((?:\/[\w.-]+)*)@([\w.-]+)(?:[ \t]+#[ \t]*(v?\d\S*))?/g;
const COMMIT = /^[0-9a-f]{40}$/;

/** @param {string} text of a workflow @returns {Use[]} the actions of other repositories */
export function usesIn(text) {
  return [...text.matchAll(USES)].map(([, , repository = '', , ref = '', tag]) => ({ repository, ref, tag }));
}

/** @param {Use} use */
export const isPinned = ({ ref, tag }) => COMMIT.test(ref) && tag !== undefined;

/**
 * Returns the workflow with a commit for each tag. A commit that is not the commit of the tag in its comment is a
 * fault, because a moved tag may be an attack.
 *
 * @param {string} text
 * @param {(repository: string) => Tags} tagsOf
 * @returns {{ text: string, faults: string[] }}
 */
export function pinned(text, tagsOf) {
  /** @type {string[]} */
  const faults = [];
  const result = text.replaceAll(USES, (whole, uses, repository, path, ref, comment) => {
    const tags = tagsOf(repository);
    const isCommit = COMMIT.test(ref);
    const tag = isCommit ? comment : ref;
    const commit = tags.get(tag ?? '');
    if (tag === undefined) faults.push(`${repository}@${ref} has no comment with a tag`);
    else if (commit === undefined) faults.push(`${repository} has no tag ${tag}`);
    else if (isCommit && commit !== ref) faults.push(`${repository}: ${tag} is now ${commit}, not ${ref}`);
    else if (!isCommit) return `${uses}${repository}${path}@${commit} # ${mostPrecise(tag, commit, tags)}`;
    return whole;
  });
  return { text: result, faults };
}

/**
 * @param {string} remote the address of a git repository
 * @returns {Tags}
 * @throws if git can't read the repository
 */
export function tagsAt(remote) {
  const lines = execFileSync('git', ['ls-remote', '--tags', '--', remote], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
  }).split('\n');
  // For an annotated tag, git prints the tag object, then the commit with the suffix ^{}.
  return new Map(
    lines.map((line) => {
      const [object = '', name = ''] = line.split('\t');
      return [name.replace(/^refs\/tags\//, '').replace(/\^\{\}$/, ''), object];
    }),
  );
}

/**
 * Replaces a tag that moves, such as `v4`, by the tag of the release, such as `v4.1.0`.
 *
 * @param {string} tag @param {string} commit @param {Tags} tags
 */
function mostPrecise(tag, commit, tags) {
  const parts = (/** @type {string} */ name) => name.split('.').length;
  return [...tags]
    .filter(([name, object]) => object === commit && name.startsWith(`${tag}.`))
    .reduce((best, [name]) => (parts(name) > parts(best) ? name : best), tag);
}
