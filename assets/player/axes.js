// Axes: mel and linear frequency, and where the labels of frequency and time go.

const toMel = (hz) => 2595 * Math.log10(1 + hz / 700);   // HTK
const toHz = (mel) => 700 * (10 ** (mel / 2595) - 1);

/** The frequency at `part` of the way up the axis, 0 to 1. */
export function frequencyAt(part, axis, highest) {
  return axis === 'mel' ? toHz(toMel(highest) * part) : highest * part;
}

/** Labels for a frequency axis of `height` px: [{hz, y}], dense enough to read and never touching. */
export function frequencyTicks(axis, highest, height) {
  const place = axis === 'mel' ? (hz) => 1 - toMel(hz) / toMel(highest) : (hz) => 1 - hz / highest;
  const wanted = axis === 'mel' ? [4000, 1000, 2000, 8000, 500, 6000, 250] : [4000, 8000, 2000, 6000, 10000];
  const ticks = [];
  for (const hz of wanted) {
    const y = place(hz) * height;
    const free = y > 9 && y < height - 8 && ticks.every((tick) => Math.abs(tick.y - y) > 17);
    if (free) ticks.push({ hz, y });
  }
  return ticks;
}

/** A round time step that leaves at least `gap` px between labels, and how many small ticks divide it. */
export function timeStep(span, width, gap = 76) {
  const wanted = (span * gap) / Math.max(width, 1);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const unit = [1, 2, 5, 10].find((u) => u * power >= wanted * 0.999);
  return { step: unit * power, parts: unit === 2 ? 4 : 5 };
}
