// The kinds of trials, by the id that the server sends as `mode`. Its name, question and explanation are texts of
// the language files: welcome.what.ID, instructions.ID, instructions.beeps.ID and trial.title.ID.

import { ab } from './ab.js';
import { abx } from './abx.js';
import { acr } from './acr.js';
import { bws } from './bws.js';
import { ccr } from './ccr.js';
import { dcr } from './dcr.js';
import { mushra } from './mushra.js';
import { mushra1s } from './mushra1s.js';
import { mushranr } from './mushranr.js';
import { sabx } from './sabx.js';
import { similarity } from './similarity.js';

/** @import { Answer, Mode, TrialStep } from '../messages.js' */
/** @import { Translations } from '../translations.js' */

/**
 * The answer controls of one trial.
 *
 * @typedef {object} Scale
 * @property {HTMLElement} [root] below the sounds
 * @property {(HTMLElement | null)[]} [beside] a node per slot, in its row
 * @property {HTMLElement} [top] above all rows
 * @property {Answer | null} answer null while it is incomplete
 * @property {unknown} entered what was entered so far, complete or not: plain JSON, which can be set again. Of what is no
 *   such thing, nothing is taken
 * @property {string} missing what is, as a sentence
 * @property {(name: string, event: KeyboardEvent, slot: number) => boolean} key whether it has a use for the key;
 *   `slot` is the one that sounds
 * @property {(enabled: boolean, slot?: number | null) => void} enable `slot`: the only one whose control works
 */

/**
 * @typedef {object} Task
 * @property {boolean} compares whether a trial has several sounds to switch between
 * @property {boolean} [endsEarly] whether a session may have fewer trials than it is told
 * @property {(words: Translations, step: TrialStep, title: string, onchange: () => void) => Scale} scale
 * @property {(words: Translations) => [keys: string[], text: string][]} keys its rows of the legend: keys, and the
 *   name of the text that says what they do
 */

/** @type {Record<Mode, Task>} */
const TASKS = { acr, mushra, ab, abx, dcr, ccr, mushra1s, mushranr, similarity, sabx, bws };

/** @param {Mode} mode */
export function taskOf(mode) {
  return TASKS[mode];
}
