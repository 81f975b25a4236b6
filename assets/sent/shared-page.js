// The page of a comparison that was sent: one player, and for a blind one the button that shows the names.

import { Files, unsealed } from './package.js';
import { followSystem } from './page-colour.js';
import { mount } from '../player/player.js';
import { showView } from '../table-views.js';

/** @import { Package } from './package.js' */
/** @typedef {Package & {ids: {[system: string]: string}, html: string}} Revealed value, its tracks by system, tables */

/** @param {string} selector */
function find(selector) {
  return /** @type {HTMLElement} */ (document.querySelector(selector));
}

followSystem();
showView();
const player = mount(find('.lab-player'));
/** @type {Package} */
const { value, files, sealed } = JSON.parse(find('#comparison').textContent);
const shelf = new Files(files);
player.update(shelf.placedIn(value));

// The sealed tables were written by templates that escape all text; scripts in them could not run under this page's policy.
document.querySelector('#reveal')?.addEventListener('click', () => {
  /** @type {Revealed} */
  const { value: named, ids, html } = unsealed(sealed ?? '');
  const tables = new DOMParser().parseFromString(html, 'text/html');
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (tables.querySelectorAll('[data-lab-track]'))) {
    link.dataset.labTrack = ids[link.dataset.labTrack ?? ''];
  }
  document.body.classList.remove('shared-blind');
  find('#blind').remove();
  find('#tables').replaceChildren(...tables.body.childNodes);
  showView();
  player.update(shelf.placedIn(named));
});
