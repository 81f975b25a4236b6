// Coverage: which parts of which sound were really heard. Pure: no clock, no page.
//
// Times of the context's clock and places in the clip are in s.

/** @import { Schedule } from '../../player/timing.js' */
/** @typedef {[start: number, stop: number]} Interval of the clip */
/** @typedef {[time: number, slot: number]} Turn of the slot that is audible from `time` on */
/** @typedef {[slot: number, interval: Interval]} Piece */

const STEPS_PER_SECOND = 1000;   // intervals are kept in whole ms

/** Intervals in order, those that touch joined. @param {Interval[]} intervals */
export function union(intervals) {
  /** @type {Interval[]} */
  const joined = [];
  for (const [start, stop] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], stop);
    else joined.push([start, stop]);
  }
  return joined;
}

/**
 * Seconds that are still to be heard, as they are shown: in tenths, and never 0 while something is missing.
 *
 * @param {number} seconds
 */
export function shownSeconds(seconds) {
  return Math.max(0, Math.ceil(10 * seconds - 1e-6)) / 10;
}

/** Length of the union, in s. @param {Interval[]} intervals */
export function total(intervals) {
  return union(intervals).reduce((sum, [start, stop]) => sum + stop - start, 0);
}

/**
 * The parts of the clip that a run played between two times of the clock.
 *
 * @param {Schedule} plan
 * @param {number} from
 * @param {number} to
 */
export function played({ rate, startFrame, offsetFrame, firstFrame, frames, loops }, from, to) {
  const [first, last] = [from, to].map((time) => offsetFrame + Math.max(0, time * rate - startFrame));
  /** @type {Interval[]} */
  const pieces = [];
  if (!loops) pieces.push([Math.min(first, frames), Math.min(last, frames)]);
  else if (last - first >= frames) pieces.push([0, frames]);
  else {
    const start = first % frames;
    const stop = start + last - first;
    pieces.push([start, Math.min(stop, frames)], [0, Math.max(0, stop - frames)]);
  }
  return pieces.filter(([start, stop]) => stop > start)
    .map(([start, stop]) => /** @type {Interval} */ ([(firstFrame + start) / rate, (firstFrame + stop) / rate]));
}

/**
 * The same by slot, where slots took turns.
 *
 * @param {Schedule} plan
 * @param {Turn[]} turns in order
 * @param {number} from
 * @param {number} to
 * @returns {Piece[]}
 */
export function heard(plan, turns, from, to) {
  return turns.flatMap(([time, slot], index) => {
    const start = Math.max(from, time);
    const stop = Math.min(to, turns[index + 1]?.[0] ?? Infinity);
    return stop > start ? played(plan, start, stop).map((interval) => [slot, interval]) : [];
  });
}

/** The parts of each slot of a trial that were heard. */
export class Coverage {
  /**
   * @param {number} slots how many
   * @param {number} seconds of the clip: nothing beyond its end is heard
   */
  constructor(slots, seconds) {
    this.seconds = seconds;
    /** @type {Interval[][]} */
    this.slots = Array.from({ length: slots }, () => []);
  }

  /** @param {Piece[]} pieces */
  add(pieces) {
    for (const [slot, [start, stop]] of pieces) {
      if (!(stop > Math.max(start, 0) && start < this.seconds)) continue;   // nothing of the clip
      /** @type {Interval} */
      const whole = [Math.max(0, Math.floor(start * STEPS_PER_SECOND) / STEPS_PER_SECOND),
        Math.min(Math.ceil(stop * STEPS_PER_SECOND) / STEPS_PER_SECOND, this.seconds)];
      this.slots[slot] = union([...this.slots[slot], whole]);
    }
  }

  /** Seconds that were heard. @param {number} slot */
  of(slot) {
    return total(this.slots[slot]);
  }

  /**
   * How much of `need` s is still missing; no clip can be heard for longer than it is.
   *
   * @param {number} slot
   * @param {number} need
   */
  missing(slot, need) {
    const rest = Math.min(need, this.seconds) - this.of(slot);
    return rest > 1e-6 ? rest : 0;
  }
}
