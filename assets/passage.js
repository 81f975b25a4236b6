// The waveform of a long recording, in which a passage is chosen: by dragging it or its ends, or with two sliders.
// The value is what ui/passage.py makes; `start` and `end` are changed here.

/**
 * @typedef {object} Passage
 * @property {string} file key of the recording
 * @property {number} seconds its length
 * @property {number[]} peaks of its waveform, in equal parts of it
 * @property {number} start of the passage, s
 * @property {number} end of the passage, s
 * @property {number} shortest passage, s
 * @property {number} longest passage, s
 */
/** @typedef {'start' | 'end'} End of a passage */

const STEP_SECONDS = 0.1;

/** Seconds as m:ss, with a tenth where there is one. @param {number} seconds */
export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const rest = tenths % 600;
  const text = rest % 10 ? (rest / 10).toFixed(1) : String(rest / 10);
  return `${Math.floor(tenths / 600)}:${rest < 100 ? '0' : ''}${text}`;
}

/**
 * The passage with one end moved to `time`; the other follows where it would become too short or too long.
 *
 * @param {Passage} value
 * @param {End} end
 * @param {number} time s
 */
export function moved(value, end, time) {
  const { seconds, shortest, longest } = value;
  let { start, end: stop } = value;
  if (end === 'start') {
    start = clamp(time, 0, seconds - shortest);
    stop = clamp(stop, start + shortest, Math.min(seconds, start + longest));
  } else {
    stop = clamp(time, shortest, seconds);
    start = clamp(start, Math.max(0, stop - longest), stop - shortest);
  }
  return { ...value, start: rounded(start), end: rounded(stop) };
}

/**
 * The whole passage moved so that it begins at `time`, as far as there is room.
 *
 * @param {Passage} value
 * @param {number} time s
 */
export function shifted(value, time) {
  const length = value.end - value.start;
  const start = rounded(clamp(time, 0, value.seconds - length));
  return { ...value, start, end: rounded(start + length) };
}

/**
 * @param {HTMLElement} host
 * @param {(value: Passage) => void} onChange
 */
export function mount(host, onChange) {
  /** @type {Passage | null} */
  let value = null;
  // eslint-disable-next-line no-restricted-properties -- fixed markup, without any text from users
  host.innerHTML = `
    <figure class="lab-passage">
      <div class="lab-passage-wave">
        <svg viewBox="0 -1 1 2" preserveAspectRatio="none" aria-hidden="true"><path/></svg>
        <div class="lab-passage-chosen"><i data-end="start"></i><i data-end="end"></i></div>
      </div>
      <figcaption aria-live="polite"></figcaption>
      <label>Begins <input type="range" data-end="start" min="0" step="${STEP_SECONDS}"></label>
      <label>Ends <input type="range" data-end="end" min="0" step="${STEP_SECONDS}"></label>
    </figure>`;
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (host.querySelector(selector));
  const [wave, chosen, caption] = ['.lab-passage-wave', '.lab-passage-chosen', 'figcaption'].map(find);

  function show() {
    host.hidden = !value;
    if (!value) return;
    const { seconds, start, end } = value;
    chosen.style.left = `${(100 * start) / seconds}%`;
    chosen.style.width = `${(100 * (end - start)) / seconds}%`;
    caption.textContent = `${clock(start)} to ${clock(end)} of ${clock(seconds)} is used: ${(end - start).toFixed(1)} s `
      + `of at most ${value.longest} s. Drag the marked part, or its ends.`;
    for (const slider of host.querySelectorAll('input')) {
      const time = value[endOf(slider) ?? 'start'];
      slider.max = String(seconds);
      slider.value = String(time);
      slider.setAttribute('aria-valuetext', clock(time));
    }
  }

  /** @param {Passage} next */
  function change(next) {
    value = next;
    show();
    onChange(value);
  }

  host.addEventListener('input', ({ target }) => {
    const slider = /** @type {HTMLInputElement} */ (target);
    const end = endOf(slider);
    if (value && end) change(moved(value, end, Number(slider.value)));
  });

  wave.addEventListener('pointerdown', (event) => {
    if (event.button || !value) return;
    const pressed = value;
    const time = (/** @type {PointerEvent} */ { clientX }) => {
      const { left, width } = wave.getBoundingClientRect();
      return ((clientX - left) / width) * pressed.seconds;
    };
    const target = /** @type {HTMLElement} */ (event.target);
    const end = endOf(target);
    const inside = chosen.contains(target);
    const grip = inside ? time(event) - pressed.start : (pressed.end - pressed.start) / 2;
    const follow = (/** @type {PointerEvent} */ now) => {
      if (value) change(end ? moved(value, end, time(now)) : shifted(value, time(now) - grip));
    };
    if (!inside) follow(event);
    wave.setPointerCapture(event.pointerId);
    wave.addEventListener('pointermove', follow);
    const release = () => {
      wave.removeEventListener('pointermove', follow);
      wave.removeEventListener('pointerup', release);
      wave.removeEventListener('pointercancel', release);
    };
    wave.addEventListener('pointerup', release);
    wave.addEventListener('pointercancel', release);
    event.preventDefault();
  });

  return {
    update(/** @type {Passage | null} */ next) {
      if (next && next.file !== value?.file) find('path').setAttribute('d', outline(next.peaks));
      value = next ?? null;
      show();
    },
  };
}

/**
 * A closed path around the peaks, mirrored, in a box 1 wide and 2 high.
 *
 * @param {number[]} peaks
 */
export function outline(peaks) {
  const loudest = Math.max(...peaks, 1e-6);
  const points = peaks.map((peak, index) =>
    /** @type {const} */ ([(index + 0.5) / peaks.length, Math.max(peak / loudest, 0.01)]));
  const above = points.map(([x, y]) => `${x.toFixed(4)} ${(-y).toFixed(3)}`);
  const below = points.reverse().map(([x, y]) => `${x.toFixed(4)} ${y.toFixed(3)}`);
  return `M${[...above, ...below].join('L')}Z`;
}

/** The end that a slider or a handle moves. @param {HTMLElement} node */
function endOf(node) {
  return /** @type {End | undefined} */ (node.dataset.end);
}

/** @type {(number: number, low: number, high: number) => number} */
function clamp(number, low, high) {
  return Math.min(Math.max(number, low), Math.max(low, high));
}

/** @param {number} seconds */
function rounded(seconds) {
  return Math.round(seconds / STEP_SECONDS) * STEP_SECONDS;
}
