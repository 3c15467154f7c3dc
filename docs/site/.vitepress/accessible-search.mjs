const COMPONENT = /\/VPLocalSearchBox\.vue$/;

/**
 * In VitePress's search, a button contains the whole dialog, and each option contains a link.
 *
 * @type {readonly (readonly [RegExp, string])[]}
 */
const CORRECTIONS = [
  [
    /role="button"\s+:aria-owns=".+"\s+aria-expanded="true"\s+aria-haspopup="listbox"/,
    'role="dialog" aria-modal="true"',
  ],
  [/aria-autocomplete="both"/, `role="combobox" aria-autocomplete="list" :aria-expanded="String(results.length > 0)"`],
  [/(:id="'localsearch-item-' \+ index"\s+:aria-selected=".+"\s+role="option")\s+>\s+<a/, 'role="none"><a $1'],
  [/:aria-label="\[\.\.\.p\.titles, p\.title\]\.join\(.*\)"/, ''],
  [/<span class="title-icon">/, '<span class="title-icon" aria-hidden="true">'],
  [/<kbd :aria-label/g, '<kbd role="img" :aria-label'],
];

/** Throws `Error` if a correction does not fit the installed version of VitePress. */
export const accessibleSearch = () => ({
  name: 'accessible-search',
  enforce: /** @type {const} */ ('pre'),
  /** @param {string} code @param {string} id */
  transform: (code, id) => (COMPONENT.test(id) ? corrected(code) : undefined),
});

/** @param {string} code */
const corrected = (code) =>
  CORRECTIONS.reduce((before, [pattern, text]) => {
    const after = before.replace(pattern, text);
    if (after === before) throw new Error(`VPLocalSearchBox.vue has no ${pattern}: adapt the corrections`);
    return after;
  }, code);
