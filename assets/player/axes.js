// Axes: mel and linear frequency, and where the labels of frequency and time go.

/** @import { Axis, Span } from './interfaces.js' */

/** @type {(hz: number) => number} */
const toMel = (hz) => 2595 * Math.log10(1 + hz / 700);   // HTK
/** @type {(mel: number) => number} */
const toHz = (mel) => 700 * (10 ** (mel / 2595) - 1);

/**
 * The frequency, in Hz, at `part` of the way up the axis, 0 to 1.
 *
 * @param {number} part
 * @param {Axis} axis
 * @param {number} highest Hz at the top
 */
export function frequencyAt(part, axis, highest) {
  return axis === 'mel' ? toHz(toMel(highest) * part) : highest * part;
}

/**
 * How far up the axis a frequency is, 0 to 1: the inverse of `frequencyAt`.
 *
 * @param {number} hz
 * @param {Axis} axis
 * @param {number} highest Hz at the top
 */
export function partAt(hz, axis, highest) {
  return axis === 'mel' ? toMel(hz) / toMel(highest) : hz / highest;
}

/**
 * Labels for a frequency axis of `height` px, dense enough to read and never touching; `y` in px from the top.
 *
 * @param {Axis} axis
 * @param {number} highest Hz at the top
 * @param {number} height
 */
export function frequencyTicks(axis, highest, height) {
  const wanted = axis === 'mel' ? [4000, 1000, 2000, 8000, 16000, 500, 6000, 12000, 250]
    : [4000, 8000, 16000, 12000, 20000, 2000, 6000, 10000];
  /** @type {{hz: number, y: number}[]} */
  const ticks = [];
  for (const hz of wanted) {
    const y = (1 - partAt(hz, axis, highest)) * height;
    const free = y > 9 && y < height - 8 && ticks.every((tick) => Math.abs(tick.y - y) > 17);
    if (free) ticks.push({ hz, y });
  }
  return ticks;
}

/**
 * A round time step, in s, that leaves at least `gap` px between labels, and how many small ticks divide it.
 *
 * @param {number} span s across `width` px
 * @param {number} width
 */
export function timeStep(span, width, gap = 76) {
  const wanted = (span * gap) / Math.max(width, 1);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const unit = [1, 2, 5, 10].find((u) => u * power >= wanted * 0.999) ?? 10;
  return { step: unit * power, parts: unit === 2 ? 4 : 5 };
}

const LABEL_WIDTH_PX = 30;   // a label that the right end would cut is left out, its tick stays

/**
 * The ticks of a ruler `width` px wide: `x` in px from its left end, and the text of labelled ones, '' for the others.
 *
 * @param {Span} span
 * @param {number} width
 */
export function timeTicks([t0, t1], width) {
  const { step, parts } = timeStep(t1 - t0, width);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = [];
  let unit = ' s';   // on the first label only
  for (let i = Math.ceil((t0 * parts) / step - 1e-9); (i * step) / parts <= t1 + 1e-9; i += 1) {
    const time = (i * step) / parts;
    const x = ((time - t0) / (t1 - t0)) * width;
    const major = i % parts === 0;
    const labelled = major && x < width - LABEL_WIDTH_PX;
    ticks.push({ x, major, text: labelled ? time.toFixed(digits) + unit : '' });
    if (labelled) unit = '';
  }
  return ticks;
}
