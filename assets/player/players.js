// The players on the page, and what the page tells all of them.

/** @import { Span } from './interfaces.js' */
/** @import { Player } from './player.js' */

/** @type {Set<Player>} */
export const players = new Set();

/** The player that keys belong to: one that can be seen, or is heard. */
export function activePlayer() {
  return [...players].find((player) => {
    if (!player.shown) return false;
    const { top, bottom } = player.host.getBoundingClientRect();
    return player.playing || (bottom > 0 && top < window.innerHeight);
  });
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) players.forEach((player) => player.transport.pause());
});

// Playback asked for without a gesture waits in a suspended context: the first gesture lets it sound.
document.addEventListener('pointerdown', () => {
  players.forEach(({ transport }) => transport.starting && transport.context?.resume().catch(() => {}));
});

// Links in tables that point at a track of the player: <button data-lab-track="id" data-lab-loop="start stop">.
document.addEventListener('click', ({ target }) => {
  /** @type {HTMLElement | null} */
  const link = target instanceof Element ? target.closest('[data-lab-track]') : null;
  if (!link) return;
  const { labTrack: track, labLoop = '' } = link.dataset;
  const [start, end] = labLoop.split(' ').map(Number);
  const command = { track, play: true, scroll: true, ...(labLoop ? { loop: /** @type {Span} */ ([start, end]) } : {}) };
  players.forEach((player) => player.shown && player.command(command));
});
