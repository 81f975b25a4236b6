// What stands beside the player and follows it: charts that show its clip from left to right, and the rows that are about
// one of its tracks.
//
// <section data-lab-seconds="length of the clip"> holds charts, each an SVG that is as wide as the clip, beside its
// <i class="page-playhead">. They show the part that the player is zoomed to; a click on them moves the playhead.
// <tr data-lab-plays="id of a track"> is marked while that track plays.

import { timeTicks } from '../axes.js';
import { el, setAttribute } from '../elements.js';
import { clamp } from '../numbers.js';
import { players } from './players.js';

/** @import { Span } from '../interfaces.js' */
/** @import { Player } from '../player.js' */

/**
 * What follows a player: on the same tab of the page.
 *
 * @param {Player} player
 * @param {string} selector
 */
function followersOf(player, selector) {
  const tab = player.host.closest('[role=tabpanel]') ?? document;
  return /** @type {NodeListOf<HTMLElement>} */ (tab.querySelectorAll(selector));
}

/** @param {Player} player */
export function moveFollowers(player) {
  for (const chart of followersOf(player, '[data-lab-seconds]')) {
    const [t0, t1] = player.zoom ?? [0, Number(chart.dataset.labSeconds)];
    stretch(chart, [t0, t1]);
    const part = (player.position - t0) / (t1 - t0);
    for (const playhead of /** @type {NodeListOf<HTMLElement>} */ (chart.querySelectorAll('.page-playhead'))) {
      playhead.hidden = part < 0 || part > 1;
      playhead.style.left = `${100 * clamp(part, 0, 1)}%`;
    }
  }
  const heard = player.playing ? player.selected : null;
  for (const row of followersOf(player, '[data-lab-plays]')) {
    setAttribute(row, 'aria-current', row.dataset.labPlays === heard);
  }
}

/**
 * Widens the drawings of a chart until the span fills it, and labels its times anew.
 *
 * @param {HTMLElement} chart
 * @param {Span} span
 */
function stretch(chart, [t0, t1]) {
  const seconds = Number(chart.dataset.labSeconds);
  const width = chart.querySelector('.page-plot')?.clientWidth ?? 0;
  const drawn = [t0, t1, width].join(' ');
  if (!width || chart.dataset.labDrawn === drawn) return;
  chart.dataset.labDrawn = drawn;
  chart.style.setProperty('--clip-width', `${(100 * seconds) / (t1 - t0)}%`);
  chart.style.setProperty('--clip-left', `${(-100 * t0) / (t1 - t0)}%`);
  for (const ticks of chart.querySelectorAll('.page-ticks')) {
    ticks.replaceChildren(...timeTicks([t0, t1], width).filter(({ text }) => text).map(({ x, text }) => {
      const tick = el('span', '', { text });
      tick.style.left = `${x}px`;
      return tick;
    }));
  }
}

document.addEventListener('click', ({ target, clientX }) => {
  const drawing = target instanceof Element ? target.closest('[data-lab-seconds] svg') : null;
  /** @type {HTMLElement | null | undefined} */
  const chart = drawing?.closest('[data-lab-seconds]');
  if (!drawing || !chart) return;
  const { left, width } = drawing.getBoundingClientRect();   // of the whole clip, whichever part of it is shown
  const time = clamp((clientX - left) / width, 0, 1) * Number(chart.dataset.labSeconds);
  for (const player of players) if ([...followersOf(player, '[data-lab-seconds]')].includes(chart)) player.seek(time);
});
