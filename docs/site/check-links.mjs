import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LOADED =
  /<(?:script|img|source|iframe|link rel="(?:stylesheet|preload|modulepreload|icon)")[^>]* (?:src|href|srcset)="([^"]+)"/g;
const REMOTE_STYLE = /(?:url\(|@import )["']?(?:https?:)?\/\//;

/**
 * Returns each fault of a built site: a link to a missing page or anchor, and a file that a browser would load from
 * elsewhere.
 *
 * @param {string} folder of the site
 * @param {string} base the path of the site on its server, such as `/` or `/name/`
 */
export function linkFaults(folder, base) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  /** @type {Map<string, { html: string, ids: Set<string> }>} */
  const pages = new Map();
  for (const file of files.filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(join(folder, file), 'utf8');
    pages.set(file, { html, ids: new Set(all(html, / id="([^"]+)"/g)) });
  }
  if (pages.size === 0) throw new Error(`${folder} has no page`);
  /** @param {string} file @param {string} href */
  const isDead = (file, href) => {
    const { origin, pathname, hash } = new URL(href, `http://site${base}${file}`);
    if (origin !== 'http://site') return false;
    if (!pathname.startsWith(base)) return true;
    const path = decodeURI(pathname.slice(base.length)).replace(/^$|(?<=\/)$/, '$&index.html');
    const page = pages.get(path);
    if (page === undefined) return !existsSync(join(folder, path));
    return hash !== '' && !page.ids.has(decodeURIComponent(hash.slice(1)));
  };
  return [...pages]
    .flatMap(([file, { html }]) => [
      ...all(html, / (?:href|src)="([^"]*)"/g)
        .filter((href) => !href.startsWith('data:') && isDead(file, href))
        .map((href) => `${file}: dead link ${href}`),
      ...all(html, LOADED)
        .filter((address) => /^(?:https?:)?\/\//.test(address))
        .map((address) => `${file}: loads ${address}`),
    ])
    .concat(
      files
        .filter((name) => name.endsWith('.css') && REMOTE_STYLE.test(readFileSync(join(folder, name), 'utf8')))
        .map((name) => `${name}: loads a file from elsewhere`),
    );
}

/** @param {string} text @param {RegExp} pattern */
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found = '']) => found.replaceAll('&amp;', '&'));
