// Charts beside the player that show its clip from left to right: they follow its playhead, and a click on them moves it.
// <section data-lab-seconds="length of the chart"> holds charts, each an SVG beside its <i class="page-playhead">.

import { clamp } from '../numbers.js';
import { players } from './players.js';

/** @import { Player } from '../player.js' */

/**
 * The charts of a player: those on the same tab of the page.
 *
 * @param {Player} player
 */
function chartsOf(player) {
  const tab = player.host.closest('[role=tabpanel]') ?? document;
  return /** @type {NodeListOf<HTMLElement>} */ (tab.querySelectorAll('[data-lab-seconds]'));
}

/** @param {Player} player */
export function moveFollowers(player) {
  for (const chart of chartsOf(player)) {
    const percent = 100 * clamp(player.position / Number(chart.dataset.labSeconds), 0, 1);
    for (const playhead of /** @type {NodeListOf<HTMLElement>} */ (chart.querySelectorAll('.page-playhead'))) {
      playhead.hidden = false;
      playhead.style.left = `${percent}%`;
    }
  }
}

document.addEventListener('click', ({ target, clientX }) => {
  const drawing = target instanceof Element ? target.closest('[data-lab-seconds] svg') : null;
  /** @type {HTMLElement | null | undefined} */
  const chart = drawing?.closest('[data-lab-seconds]');
  if (!drawing || !chart) return;
  const { left, width } = drawing.getBoundingClientRect();
  const time = clamp((clientX - left) / width, 0, 1) * Number(chart.dataset.labSeconds);
  for (const player of players) if ([...chartsOf(player)].includes(chart)) player.seek(time);
});
