// The player of a report: one clip at a time. Clips are in the page, or in scripts beside it: a page that is opened from disk
// may load a script, and nothing else.

import { Files } from './package.js';
import { followSystem } from './page-colour.js';
import { mount } from '../player/player.js';
import { showView } from '../table-views.js';

/** @import { Package } from './package.js' */

/** @template {HTMLElement} Found @param {string} selector */
function find(selector) {
  return /** @type {Found} */ (document.querySelector(selector));
}

/** @type {HTMLSelectElement} */
const choice = find('#clip');
const problem = find('#clip-problem');
const player = mount(find('.lab-player'));
/** Those that came from beside the page. @type {Map<string, Package>} */
const arrived = new Map();
/** @type {Files | null} */
let files = null;

// Called by the scripts beside the page
Object.assign(window, { labClip: (/** @type {string} */ number, /** @type {Package} */ clip) => arrived.set(number, clip) });

/**
 * Errors: Error where the script is not there.
 *
 * @param {string} number
 */
function fetchBeside(number) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${choice.dataset.folder}/${number}.js`;
    script.addEventListener('load', () => resolve(arrived.get(number)));
    script.addEventListener('error', () => reject(new Error(`The clip is in ${script.src}, which is not there.`)));
    document.head.append(script);
  });
}

/** @param {string} number */
async function read(number) {
  const inside = document.getElementById(`clip-${number}`);
  return inside ? JSON.parse(inside.textContent) : arrived.get(number) ?? await fetchBeside(number);
}

async function show() {
  const number = choice.value;
  /** @type {Package | Error} */
  const clip = await read(number).catch((/** @type {Error} */ error) => error);
  if (number !== choice.value) return;   // another one was chosen meanwhile
  problem.textContent = clip instanceof Error ? clip.message : '';
  const before = files;
  files = clip instanceof Error ? null : new Files(clip.files);
  player.update(clip instanceof Error ? null : files && files.placedIn(clip.value));
  before?.close();
}

choice.addEventListener('change', show);
document.addEventListener('click', ({ target }) => {
  /** @type {HTMLElement | null} */
  const link = target instanceof Element ? target.closest('[data-clip]') : null;
  if (!link) return;
  choice.value = link.dataset.clip ?? '';
  show();
  find('#listen').scrollIntoView({ block: 'start' });
});
followSystem();
showView();
show();
