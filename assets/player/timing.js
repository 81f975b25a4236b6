// Time, in whole samples: when a run began, where it is, where another one can take over; loops and views of the clip.
//
// A schedule says when a run began and where in the clip. startFrame counts samples of the context's clock, the others
// samples of the clip. `frames` samples from firstFrame on are what is played: the clip, or the looped region; the run
// began at offsetFrame of them.

import { clamp } from './numbers.js';

/** @import { Span } from './interfaces.js' */
/**
 * @typedef {{rate: number, startFrame: number, offsetFrame: number, firstFrame: number, frames: number,
 *   loops: boolean}} Schedule
 */

export const MIN_LOOP_SECONDS = 0.5;
export const MIN_SPAN_SECONDS = 0.1;     // the closest zoom: about nine spectrogram columns
export const JOIN_LEAD_SECONDS = 0.15;   // before a run takes over unheard: nobody waits, and a busy machine needs the time

/**
 * The schedule of a run that begins at `when` of the context's clock with `position` of the clip, both in s.
 *
 * @param {{rate: number, when: number, position: number, region: Span | null, clipFrames: number}} run
 * @returns {Schedule}
 */
export function schedule({ rate, when, position, region, clipFrames }) {
  const firstFrame = region ? Math.round(region[0] * rate) : 0;
  const frames = (region ? Math.round(region[1] * rate) : clipFrames) - firstFrame;
  const offset = Math.round(position * rate) - firstFrame;
  const offsetFrame = offset >= 0 && offset < frames ? offset : 0;
  return { rate, startFrame: Math.round(when * rate), offsetFrame, firstFrame, frames, loops: Boolean(region) };
}

/**
 * Where a run that takes over from this one can begin, in s; null past the end.
 *
 * @param {Schedule} plan
 * @param {number} now s of the context's clock
 */
export function joinPoint({ rate, startFrame, offsetFrame, firstFrame, frames, loops }, now, lead = JOIN_LEAD_SECONDS) {
  const frame = Math.max(startFrame, Math.ceil((now + lead) * rate));
  const played = offsetFrame + frame - startFrame;
  if (!loops && played >= frames) return null;
  const offset = played % frames;
  return { when: frame / rate, offset: offset / rate, position: (firstFrame + offset) / rate };
}

/**
 * The place in the clip, in s, that the context's clock `time` falls on.
 *
 * @param {Schedule} plan
 * @param {number} time
 */
export function positionAt({ rate, startFrame, offsetFrame, firstFrame, frames, loops }, time) {
  const played = offsetFrame + Math.max(0, time * rate - startFrame);
  return (firstFrame + (loops ? played % frames : Math.min(played, frames))) / rate;
}

/**
 * [a, b] in order, inside the clip, at least MIN_LOOP_SECONDS long: a shorter one grows around its centre.
 *
 * @param {Span} region
 * @param {number} duration
 * @returns {Span}
 */
export function fitRegion([a, b], duration) {
  const length = Math.min(Math.max(Math.abs(b - a), MIN_LOOP_SECONDS), duration);
  const start = clamp((a + b - length) / 2, 0, duration - length);
  return [start, start + length];
}

/**
 * The part of the clip that is shown: inside the clip, at least MIN_SPAN_SECONDS long.
 *
 * @param {Span} view
 * @param {number} duration
 * @returns {Span}
 */
export function fitView([t0, t1], duration) {
  const span = clamp(t1 - t0, Math.min(MIN_SPAN_SECONDS, duration), duration);
  const start = clamp(t0, 0, duration - span);
  return [start, start + span];
}

/**
 * The view `factor` times as long, with `centre` at the same place on the screen; it may reach beyond the clip.
 *
 * @param {Span} view
 * @param {number} factor
 * @param {number} centre s
 * @param {number} duration
 * @returns {Span}
 */
export function zoomed([t0, t1], factor, centre, duration) {
  const span = clamp((t1 - t0) * factor, Math.min(MIN_SPAN_SECONDS, duration), duration);
  const start = centre - ((centre - t0) / (t1 - t0)) * span;
  return [start, start + span];
}
