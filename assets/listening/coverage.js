// Coverage: which parts of which sound were really heard. Pure: no clock, no page.
//
// A plan is a schedule of ../player/timing.js; times of the context's clock and places in the clip are in s. An
// interval is [start, stop] of the clip. Turns say which slot was audible from when on: [[time, slot], ...] in order.

const GRAIN = 1000;   // intervals are kept in whole ms

/** Intervals in order, those that touch joined. */
export function union(intervals) {
  const joined = [];
  for (const [start, stop] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], stop);
    else joined.push([start, stop]);
  }
  return joined;
}

export function total(intervals) {
  return union(intervals).reduce((sum, [start, stop]) => sum + stop - start, 0);
}

/** The parts of the clip that a run played between two times of the clock. */
export function played({ rate, startFrame, offsetFrame, firstFrame, frames, loops }, from, to) {
  const [first, last] = [from, to].map((time) => offsetFrame + Math.max(0, time * rate - startFrame));
  const pieces = [];
  if (!loops) pieces.push([Math.min(first, frames), Math.min(last, frames)]);
  else if (last - first >= frames) pieces.push([0, frames]);
  else {
    const start = first % frames;
    const stop = start + last - first;
    pieces.push([start, Math.min(stop, frames)], [0, Math.max(0, stop - frames)]);
  }
  return pieces.filter(([start, stop]) => stop > start)
    .map((piece) => piece.map((frame) => (firstFrame + frame) / rate));
}

/** The same by slot, where slots took turns: [[slot, [start, stop]], ...]. */
export function heard(plan, turns, from, to) {
  return turns.flatMap(([time, slot], index) => {
    const start = Math.max(from, time);
    const stop = Math.min(to, turns[index + 1]?.[0] ?? Infinity);
    return stop > start ? played(plan, start, stop).map((interval) => [slot, interval]) : [];
  });
}

/** What has been heard of each slot of a trial. */
export class Coverage {
  constructor(slots, seconds) {
    this.seconds = seconds;   // of the clip: nothing beyond its end is heard
    this.slots = Array.from({ length: slots }, () => []);
  }

  add(pieces) {
    for (const [slot, [start, stop]] of pieces) {
      const whole = [Math.floor(start * GRAIN) / GRAIN, Math.min(Math.ceil(stop * GRAIN) / GRAIN, this.seconds)];
      this.slots[slot] = union([...this.slots[slot], whole]);
    }
  }

  of(slot) {
    return total(this.slots[slot]);
  }

  /** How much of `need` s is still missing; no clip can be heard for longer than it is. */
  missing(slot, need) {
    const rest = Math.min(need, this.seconds) - this.of(slot);
    return rest > 1e-6 ? rest : 0;
  }
}
