// How the page gets to the player.

/** @import { Player } from '../player.js' */

const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
const MAX_WAIT_MS = 1000;   // for a player that is drawn later than that, the page stays where the visitor is by then

/** @param {Element} host of a player */
export function goTo(host) {
  host.scrollIntoView({ block: 'start', behavior: calm.matches ? 'auto' : 'smooth' });
}

/**
 * Goes to a player whose comparison has just begun, once it is drawn and the inputs above have folded: where less than half of
 * it or not all of its first row can be seen, and nobody is typing.
 *
 * @param {Pick<Player, 'host'>} player
 */
export function arriveSoon({ host }, began = performance.now()) {
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const { top, bottom, height } = host.getBoundingClientRect();
    if (!height) {
      if (performance.now() - began < MAX_WAIT_MS) arriveSoon({ host }, began);
      return;
    }
    const typing = document.activeElement?.matches('input[type=text], input[type=number], textarea');
    const seen = Math.min(bottom, window.innerHeight) - Math.max(top, 0);
    const first = host.querySelector('.lab-row')?.getBoundingClientRect().bottom ?? 0;
    if (!typing && (seen < Math.min(height, window.innerHeight) / 2 || first > window.innerHeight)) goTo(host);
  }));
}
