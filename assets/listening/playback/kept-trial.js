// What a listener has heard and entered in the trial that is open: kept in the browser, so that a reload takes nothing
// away. It is kept under the trial's nonce and holds no more than goes to the server with the answer.

import { clamp } from '../../player/numbers.js';

/** @import { Interval } from './coverage.js' */

/**
 * @typedef {object} Kept
 * @property {string} nonce of the trial
 * @property {Interval[][]} heard of each slot, in s
 * @property {number[]} plays of each slot
 * @property {number} switches
 * @property {number} dwell_ms since the trial appeared
 * @property {unknown} entered of the answer, complete or not, as its scale understands it
 * @property {string} comment
 */

/** @type {(value: unknown) => number} */
const count = (value) => Number.isFinite(value) ? clamp(Math.round(Number(value)), 0, Number.MAX_SAFE_INTEGER) : 0;

/** @type {(value: unknown) => unknown[]} */
const list = (value) => Array.isArray(value) ? value : [];

/**
 * @param {unknown} value
 * @returns {value is Interval}
 */
function isInterval(value) {
  return list(value).length === 2 && list(value).every(Number.isFinite);
}

/**
 * What was kept of that trial; null for nothing, for another trial, and for what cannot be read.
 *
 * @param {string | null} text
 * @param {string} nonce
 * @param {number} slots how many the trial has
 * @returns {Kept | null}
 */
export function readKept(text, nonce, slots) {
  /** @type {Partial<Record<keyof Kept, unknown>> | null} */
  let found;
  try {
    found = JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
  if (found?.nonce !== nonce || list(found.heard).length !== slots) return null;
  const heard = list(found.heard).map((intervals) => list(intervals).filter(isInterval));
  const plays = heard.map((_, slot) => count(list(found.plays)[slot]));
  return { nonce, heard, plays, switches: count(found.switches), dwell_ms: count(found.dwell_ms),
    entered: found.entered ?? null, comment: String(found.comment ?? '') };
}
