// The keyboard: what each key does, and whose key it is.

import { activePlayer } from './around/players.js';

/** @import { Player } from './player.js' */

/** The help panel: keys, what they do. */
export const SHORTCUTS = [
  ['Space', 'play, pause'], ['1 \u2013 9, 0', 'select a sound'], ['\u2191 \u2193', 'previous, next sound'],
  ['R', 'the recording'], ['\u2190 \u2192', 'seek 1 s, with Shift 0.1 s'], ['L', 'loop on, off'],
  ['M', 'loudness matched, raw'], ['D', 'difference, spectrogram'], ['+ \u2212', 'zoom'],
  ['F', 'fit the whole clip'], ['Click', 'go here'], ['Drag', 'loop this part'],
  ['Double click', 'clear the loop'], ['Ctrl + wheel', 'zoom at the pointer'], ['Shift + wheel', 'move along'],
  ['?', 'this panel'],
];

/** @type {Record<string, (player: Player, event: KeyboardEvent) => void>} */
const ACTIONS = {
  ' ': (player) => player.transport.toggle(),
  arrowleft: (player, { shiftKey }) => player.nudge(shiftKey ? -0.1 : -1),
  arrowright: (player, { shiftKey }) => player.nudge(shiftKey ? 0.1 : 1),
  arrowup: (player) => player.step(-1),
  arrowdown: (player) => player.step(1),
  r: (player) => player.select(player.ordered.find(({ spec }) => spec.role === 'reference')?.id),
  l: (player) => player.toggleLoop(),
  m: (player) => player.setMatched(!player.matched),
  d: (player) => player.setView(player.view === 'difference' ? 'spectrogram' : 'difference'),
  f: (player) => player.setZoom(null),
  '+': (player) => player.zoomBy(0.5),
  '=': (player) => player.zoomBy(0.5),
  '-': (player) => player.zoomBy(2),
  '?': (player) => player.controls.toggleHelp(),
};
for (let digit = 0; digit < 10; digit += 1) {
  ACTIONS[digit] = (player) => player.select(player.ordered[(digit + 9) % 10]?.id);
}

/** Letters by their place on the keyboard where the layout is not Latin: R is R on a Cyrillic layout too. @param {KeyboardEvent} event */
function keyName({ key, code }) {
  const letter = /^Key([A-Z])$/.exec(code);
  return (letter && key.charCodeAt(0) > 127 ? letter[1] : key).toLowerCase();
}

// Keys that an element with the focus uses itself are left to it: text all keys, buttons Space, sliders and tabs arrows.
const TEXTUAL = 'input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select';
const PRESSABLE = 'button, a[href], summary, label, input, [role=button], [role=tab], [role=option]';
const MOVABLE = 'input, audio, video, [role=slider], [role=tab], [role=listbox], [role=option], [role=grid], '
  + '.page-table-scroll';

/**
 * @param {string} name
 * @param {Element} target
 */
function isTaken(name, target) {
  /** @type {(selector: string) => boolean} */
  const needs = (selector) => Boolean(target.closest(selector));
  if ((target instanceof HTMLElement && target.isContentEditable) || needs(TEXTUAL)) return true;
  return (name === ' ' && needs(PRESSABLE)) || (name.startsWith('arrow') && needs(MOVABLE));
}

const KEPT = 'lab-keys';   // in the browser's storage: whether single keys are off

/** Whether single keys do anything: speech input and tremor press them by accident (WCAG 2.1.4). */
export function keysAreOn() {
  try {
    return localStorage.getItem(KEPT) !== 'off';
  } catch {   // storage is refused in some frames
    return true;
  }
}

/** @param {boolean} on */
export function switchKeys(on) {
  try {
    localStorage.setItem(KEPT, on ? 'on' : 'off');
  } catch { /* then they stay as they are */ }
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') activePlayer()?.controls.toggleHelp(false);
  if (!keysAreOn()) return;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const name = keyName(event);
  const action = Object.hasOwn(ACTIONS, name) && ACTIONS[name];
  if (!action || (event.target instanceof Element && isTaken(name, event.target))) return;
  const player = activePlayer();
  if (!player?.sounds.length) return;
  event.preventDefault();
  if (!event.repeat || name.startsWith('arrow') || '+=-'.includes(name)) action(player, event);
});
