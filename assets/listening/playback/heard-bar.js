// The bar of a slot: the length of the clip, the parts of it that were heard, the loop, the playhead. No waveform: it
// would show what the ear is asked for.

import { el } from '../../player/elements.js';
import { clamp } from '../../player/numbers.js';
import { fitRegion } from '../../player/timing.js';

/** @import { Span } from '../../player/interfaces.js' */
/** @import { BlindPlayer } from './blind-player.js' */

const MIN_DRAG_PX = 6;   // that a pointer travels before a click becomes a loop

export class HeardBar {
  /** @type {{x: number, anchor: number, region: Span | null} | null} */
  drag = null;
  image = '';

  /**
   * @param {BlindPlayer} player
   * @param {number} id of the slot
   */
  constructor(player, id) {
    this.player = player;
    this.id = id;
    this.heard = el('div', 'booth-heard');
    this.loop = el('div', 'booth-loop', { hidden: '' });
    this.playhead = el('div', 'booth-playhead');
    this.track = el('div', 'booth-track', {}, this.heard, this.loop);
    // Hidden from screen readers: what it says stands beside it in words, what it does the arrow keys do.
    this.root = el('div', 'booth-lane', { 'aria-hidden': 'true',
      onpointerdown: (event) => this.press(event), onpointermove: (event) => this.move(event),
      onpointerup: (event) => this.release(event), onpointercancel: () => this.abandon(),
      ondblclick: () => { if (player.region) player.setRegion(null); } }, this.track, this.playhead);
  }

  /** @param {PointerEvent} event */
  timeAt({ clientX }) {
    const { left, width } = this.track.getBoundingClientRect();
    return clamp(((clientX - left) / width) * this.player.duration, 0, this.player.duration);
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0 || !this.player.slots.length) return;
    this.root.setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, anchor: this.timeAt(event), region: null };
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { drag } = this;
    if (!drag || (!drag.region && Math.abs(event.clientX - drag.x) < MIN_DRAG_PX)) return;
    drag.region = fitRegion([drag.anchor, this.timeAt(event)], this.player.duration);
    this.renderLoop(drag.region, true);
  }

  /** @param {PointerEvent} event */
  release(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.region) this.player.setRegion(drag.region);
    else this.player.seek(this.timeAt(event));
    this.player.choose(this.id);
  }

  abandon() {
    this.drag = null;
    this.render();
  }

  render() {
    const { player } = this;
    /** @type {(time: number) => string} */
    const percent = (time) => (player.duration ? ((100 * time) / player.duration).toFixed(2) : '0');
    const parts = (player.coverage.slots[this.id] ?? []).map(([start, stop]) => {
      const [a, b] = [percent(start), percent(stop)];
      return `transparent ${a}%, var(--lab-heard) ${a}% ${b}%, transparent ${b}%`;
    });
    const image = parts.length ? `linear-gradient(90deg, ${parts.join(', ')})` : 'none';
    if (this.image !== image) this.heard.style.backgroundImage = this.image = image;
    this.playhead.style.left = `${percent(player.position)}%`;
    if (!this.drag) this.renderLoop(player.region, player.looping);
  }

  /**
   * @param {Span | null} region
   * @param {boolean} active
   */
  renderLoop(region, active) {
    const { duration } = this.player;
    this.loop.hidden = !region;
    this.loop.classList.toggle('booth-off', !active);
    if (!region) return;
    const [left, width] = [region[0], region[1] - region[0]].map((time) => `${(100 * time) / duration}%`);
    Object.assign(this.loop.style, { left, width });
  }
}
