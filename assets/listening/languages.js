// Languages: which of those that the page has a listener gets, the texts of it, and the menu that chooses another.

import { el } from '../player/elements.js';
import { parsed } from './server.js';

/** @import { Server } from './server.js' */

/** @typedef {Record<string, string>} Languages the name of each language, in that language, by its tag */

const FALLBACK = 'en';

/**
 * The most likely language, script and region of a tag: zh-HK is zh-Hant-HK. null for what is no tag.
 *
 * @param {string} tag
 */
function likely(tag) {
  try {
    return new Intl.Locale(tag).maximize();
  } catch {
    return null;
  }
}

/**
 * The first wanted language that is offered, of the same region if there is one; English where there is none. The script
 * decides between kinds of Chinese.
 *
 * @param {(string | null | undefined)[]} wanted tags, the best one first
 * @param {string[]} offered tags
 */
export function bestLanguage(wanted, offered) {
  for (const tag of wanted) {
    const asked = tag ? likely(tag) : null;
    const near = offered.filter((one) => {
      const { language, script } = new Intl.Locale(one).maximize();
      return asked?.language === language && asked.script === script;
    });
    if (near.length) return near.find((one) => likely(one)?.region === asked?.region) ?? near[0];
  }
  return FALLBACK;
}

/**
 * The texts of a language, asked for until they come.
 *
 * @param {Server} server
 * @param {string} language
 * @returns {Promise<Record<string, string>>}
 */
export function textsOf(server, language) {
  return server.insist(new URL(`languages/${language}.json`, import.meta.url), { cache: 'no-cache' }, parsed);
}

/**
 * @param {Languages} languages
 * @param {(language: string) => void} choose
 */
export function languageMenu(languages, choose) {
  const options = Object.entries(languages).map(([tag, name]) => el('option', '', { value: tag, lang: tag, text: name }));
  /** @type {HTMLSelectElement} */
  const menu = el('select', 'booth-language', { onchange: () => choose(menu.value) }, ...options);
  return menu;
}
