// The kinds of trials, by the id that the server sends as `mode`. What a kind is called, asks and explains are texts of
// the language files: welcome.what.ID, instructions.ID, instructions.beeps.ID and trial.title.ID.

import { ab } from './ab.js';
import { abx } from './abx.js';
import { acr } from './acr.js';
import { mushra } from './mushra.js';

/** @typedef {import('../words.js').Words} Words */

/**
 * The answer controls of one trial.
 *
 * @typedef {object} Scale
 * @property {HTMLElement} [root] below the sounds
 * @property {(HTMLElement | null)[]} [beside] a node for each slot
 * @property {HTMLElement} [top] above all slots
 * @property {unknown} answer what is sent; null while the trial is incomplete
 * @property {string} missing a sentence on what is still to be answered, '' when nothing is
 * @property {(name: string, event: KeyboardEvent, slot: number) => boolean} key whether the key was one of the scale's;
 *   `slot` is the one that is heard
 * @property {(enabled: boolean) => void} enable
 */

/**
 * The part of a trial that the server sends and a scale needs.
 *
 * @typedef {object} Step
 * @property {string} mode
 * @property {{role: 'take' | 'reference' | 'x', label: string, url: string}[]} slots
 */

/**
 * @typedef {object} Task
 * @property {boolean} compares whether a trial has several sounds to switch between
 * @property {(words: Words, step: Step, title: string, onchange: () => void) => Scale} scale
 * @property {(words: Words) => [keys: string[], text: string][]} keys its rows of the legend: keys, and the key of the
 *   text that says what they do
 */

/** @type {Record<string, Task>} */
const TASKS = { acr, mushra, ab, abx };

/** @param {string} mode @returns {Task} */
export function taskOf(mode) {
  return TASKS[mode];
}
