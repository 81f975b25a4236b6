// Pointer and wheel, on the pictures and the ruler.

import { clamp } from './numbers.js';
import { fitRegion } from './timing.js';

/** @import { Controls } from './controls.js' */
/** @import { Span } from './interfaces.js' */
/** @import { Player } from './player.js' */

const MIN_DRAG_PX = 4;     // that a pointer travels before a click becomes a drag
const EDGE_REACH_PX = 7;   // around a loop edge, in which a drag moves that edge

/** Click, drag, double click, pinch and wheel on the pictures and the ruler, told to the player as intentions. */
export class Gestures {
  /** @type {{x: number, anchor: number, track: string | undefined, region: Span | null} | null} */
  drag = null;
  /** @type {{width: number, centre: number, span: number} | null} */
  pinch = null;
  /** Where each pointer that is down is, in px. @type {Map<number, number>} */
  pointers = new Map();

  /**
   * @param {Player} player
   * @param {Controls} controls
   */
  constructor(player, controls) {
    this.player = player;
    this.controls = controls;
    /**
     * @template {keyof HTMLElementEventMap} Name
     * @param {Name} name
     * @param {(event: HTMLElementEventMap[Name], lane: HTMLElement) => void} handler
     * @param {AddEventListenerOptions} [options]
     */
    const listen = (name, handler, options) => controls.root.addEventListener(name, (event) => {
      const lane = /** @type {Element} */ (event.target).closest('.lab-lane, .lab-ruler');
      if (lane && player.sounds.length) handler.call(this, event, /** @type {HTMLElement} */ (lane));
    }, options);
    listen('pointerdown', this.press);
    listen('pointermove', this.move);
    listen('pointerup', this.release);
    listen('pointercancel', this.abandon);
    listen('dblclick', () => player.setLoop(null));
    listen('wheel', this.wheel, { passive: false });
    listen('pointerout', (event, lane) => lane.contains(/** @type {Node | null} */ (event.relatedTarget)) || controls.point(event, null));
    // A button clicked with the mouse keeps no focus: Space belongs to the transport. Keyboard focus is left alone.
    controls.root.addEventListener('click', ({ detail, target }) => {
      /** @type {HTMLElement | null} */
      const pressed = /** @type {Element} */ (target).closest('button, a');
      if (detail > 0) pressed?.blur();
    });
    controls.volume.addEventListener('pointerup', () => controls.volume.blur());
  }

  /** The end of the loop that stays put when a drag begins on its other end; null away from both. @param {PointerEvent} event */
  oppositeEdge(event) {
    const { region } = this.player;
    if (!region) return null;
    const x = event.clientX - this.controls.ruler.getBoundingClientRect().left;
    const [a, b] = region.map((time) => Math.abs(this.controls.xOf(time) - x));
    if (Math.min(a, b) > EDGE_REACH_PX) return null;
    return a < b ? region[1] : region[0];
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} lane
   */
  press(event, lane) {
    if (event.button !== 0) return;
    lane.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event.clientX);
    if (this.pointers.size === 2) return void this.beginPinch();
    const anchor = this.oppositeEdge(event) ?? this.controls.timeAt(event.clientX);
    const track = this.player.ordered.find(({ row }) => row.lane === lane)?.id;
    this.drag = { x: event.clientX, anchor, track, region: null };
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} lane
   */
  move(event, lane) {
    if (event.pointerType === 'mouse') this.controls.point(event, lane);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, event.clientX);
    if (this.pinch) return void this.movePinch();
    const { drag } = this;
    if (!drag) return void (lane.style.cursor = this.oppositeEdge(event) === null ? '' : 'ew-resize');
    if (!drag.region && Math.abs(event.clientX - drag.x) < MIN_DRAG_PX) return;
    drag.region = fitRegion([drag.anchor, this.controls.timeAt(event.clientX)], this.player.duration);
    this.controls.renderLoop(drag.region, true);
  }

  /** @param {PointerEvent} event */
  release(event) {
    const { drag } = this;
    this.abandon(event);
    if (!drag) return;
    if (drag.region) return void this.player.setLoop(drag.region);
    if (drag.track) this.player.select(drag.track);
    this.player.seek(this.controls.timeAt(event.clientX));
  }

  /** @param {PointerEvent} event */
  abandon(event) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size < 2) this.pinch = null;
    this.drag = null;
    this.controls.renderLoop();
  }

  beginPinch() {
    const [a, b] = this.pointers.values();
    const [t0, t1] = this.player.span;
    this.drag = null;
    this.controls.renderLoop();
    this.pinch = { width: Math.max(Math.abs(a - b), 20), centre: this.controls.timeAt((a + b) / 2), span: t1 - t0 };
  }

  /** Keeps the time that was between the fingers between the fingers. */
  movePinch() {
    if (!this.pinch) return;
    const [a, b] = this.pointers.values();
    const { left, width } = this.controls.ruler.getBoundingClientRect();
    const span = (this.pinch.span * this.pinch.width) / Math.max(Math.abs(a - b), 20);
    const t0 = this.pinch.centre - (((a + b) / 2 - left) / width) * span;
    this.player.setZoom([t0, t0 + span]);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const { player, controls } = this;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      return void player.zoomBy(Math.exp(clamp(event.deltaY, -50, 50) * 0.01), controls.timeAt(event.clientX));
    }
    const across = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    const wanted = event.shiftKey || Math.abs(across) > Math.abs(event.deltaY);
    if (!player.zoom || !across || !wanted) return;
    event.preventDefault();
    const [t0, t1] = player.span;
    const shift = (across / controls.ruler.clientWidth) * (t1 - t0);
    player.setZoom([t0 + shift, t1 + shift]);
  }
}
