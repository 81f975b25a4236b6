// The players on the page, and what the page tells all of them.

/** @import { Span } from '../interfaces.js' */
/** @import { Player } from '../player.js' */

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

// One sound at a time: a player that starts silences the others, those of other tabs, and the preview of the recording.
const PREVIEW = '#recording button[aria-label';   // Gradio's: its label says what a click does
/** @type {BroadcastChannel | null} */
let tabs = null;

const pauseAll = () => players.forEach((player) => player.transport.pause());

/** @param {Player} player */
export function join(player) {
  players.add(player);
  if (tabs || !('BroadcastChannel' in window)) return;
  tabs = new BroadcastChannel('lab-sound');
  tabs.addEventListener('message', pauseAll);
}

/** @param {Player} player that starts to play */
export function silenceOthers(player) {
  for (const other of players) if (other !== player) other.transport.pause();
  /** @type {HTMLElement | null} */
  const preview = document.querySelector(`${PREVIEW}^=Pause]`);
  preview?.click();
  tabs?.postMessage('a player starts');
}

document.addEventListener('click', ({ target }) => {
  if (target instanceof Element && target.closest(`${PREVIEW}^=Play]`)) pauseAll();
});

// A connection that is back: what it lost is fetched again.
window.addEventListener('online', () => players.forEach((player) => player.loader.retry()));

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
