// The synchronized player: the outputs of one recording, one transport, one ear.
//
// mount(host) -> player; player.update(value) with the JSON of ui/player.py. Text from users (titles are file
// names) reaches the page through textContent only. How it sounds is in sound.js and transport.js.

import { arriveSoon, goTo } from './around/arrival.js';
import { Controls } from './controls.js';
import { Gestures } from './gestures.js';
import { Loader } from './loader.js';
import { clamp, decibels } from './numbers.js';
import { join, players, silenceOthers } from './around/players.js';
import { fitRegion, fitView, zoomed } from './timing.js';
import { Transport } from './transport.js';

/** @import { Axis, Command, PlayerValue, Span, TransportHost, View } from './interfaces.js' */
/** @import { Track } from './loader.js' */
/** @typedef {HTMLElement & {labPlayer?: Player}} Host */
const HOST = '.lab-player';

/**
 * The state of the Compare page's player. The other files show it, play it and change it through its methods.
 *
 * @implements {TransportHost<string>}
 */
export class Player {
  /** @type {PlayerValue | null} */
  value = null;
  /** @type {Map<string, Track>} */
  tracks = new Map();
  /** @type {string | null} */
  selected = null;
  chosen = false;   // whether the listener selected it
  /** The loop, on or off. @type {Span | null} */
  region = null;
  looping = false;
  /** The part of the clip that is shown; null shows all of it. @type {Span | null} */
  zoom = null;
  cursor = 0;
  cue = 0;
  inView = true;   // whether the page follows the playhead
  /** @type {View} */
  view = 'spectrogram';
  /** @type {Axis} */
  axis = 'mel';
  matched = true;
  painting = false;

  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    this.parent = host.parentElement;
    /** @type {Transport<string>} */
    this.transport = new Transport(this);
    this.loader = new Loader(this);
    this.controls = new Controls(this);
    this.gestures = new Gestures(this, this.controls);
    this.reset();
    host.hidden = true;
    this.attach();
    new ResizeObserver(() => this.refresh()).observe(this.controls.ruler);
  }

  /** Gradio may re-render the template around us: whatever it did, the same nodes go back into the page. */
  attach() {
    join(this);
    if (!this.host.isConnected) this.host = /** @type {Host | null | undefined} */ (this.parent?.querySelector(HOST)) ?? this.host;
    if (this.controls.root.parentNode !== this.host) this.host.replaceChildren(this.controls.root);
    this.host.labPlayer = this;
  }

  // ------------------------------------------------ data from Python

  /** Another session. View, axis and matched levels survive. */
  reset() {
    this.transport.stop();
    this.loader.reset();
    Object.assign(this, { tracks: new Map(), selected: null, chosen: false, region: null, looping: false });
    Object.assign(this, { zoom: null, cursor: 0, cue: 0, inView: true });
  }

  /** @param {PlayerValue | null} value */
  update(value) {
    value ||= null;   // Gradio's nothing is an empty string
    if (value && !value.status) return;   // seen where one comparison replaced another; a whole value follows
    this.attach();
    if (value?.session !== this.value?.session) {
      this.reset();
      if (value?.status.state === 'running') arriveSoon(this);
    }
    if (value) this.transport.matchRate(value.sample_rate);
    this.value = value;
    this.loader.update(value?.tracks ?? []);
    this.transport.applyGains();   // a loudness measured late moves with a ramp, like a switch
    this.refresh();
  }

  // ------------------------------------------------ what is known

  get ordered() { return [...this.tracks.values()].sort((a, b) => a.index - b.index); }
  get sounds() {
    return /** @type {(Track & {buffer: AudioBuffer})[]} */ (this.ordered.filter((track) => track.buffer !== null));
  }
  get rate() { return this.value?.sample_rate ?? 22050; }
  get duration() { return this.sounds[0]?.buffer.duration ?? this.value?.seconds ?? 0; }
  get highest() { return this.value?.spectrogram.frequency_max ?? this.rate / 2; }
  get span() { return fitView(this.zoom ?? [0, this.duration], this.duration); }
  get activeLoop() { return this.looping ? this.region : null; }
  get playing() { return this.transport.playing; }
  get position() { return this.transport.position; }
  get shown() { return this.host.isConnected && this.host.getClientRects().length > 0; }

  /**
   * Linear gain of a track, 0 for all but the audible one.
   *
   * @param {string} id
   * @param {string | null} audible
   */
  gainOf(id, audible = this.selected, matched = this.matched) {
    if (id !== audible) return 0;
    return matched ? decibels(this.tracks.get(id)?.spec.gain_db ?? 0) : 1;
  }

  get settled() {
    const ready = this.ordered.filter(({ spec }) => spec.state === 'ready');
    return ready.length > 0 && ready.every(({ loading }) => !loading.size);
  }

  get state() {
    const tracks = this.sounds.map(({ id }) => id);
    const { selected, matched, view, axis, position: time, span: zoom, activeLoop: loop } = this;
    const gains = Object.fromEntries(tracks.map((id) => [id, this.gainOf(id)]));
    return { ready: this.host.dataset.ready === '1', playing: this.playing, time, selected, matched, loop, view, axis, zoom, tracks, gains };
  }

  /** The samples that the loudspeakers would get, for tests. */
  renderOffline(/** @type {Parameters<Transport<string>['renderOffline']>[0]} */ options) {
    return this.transport.renderOffline(options);
  }

  // ------------------------------------------------ what the listener does

  /** @param {string | undefined} id */
  select(id) {
    const sound = this.sounds.find((track) => track.id === id);
    if (!sound) return;
    Object.assign(this, { selected: id, chosen: true });
    if (this.transport.lacks(sound)) this.transport.play();   // it has only just arrived
    this.transport.applyGains();
    this.refresh();
  }

  /** @param {number} by sounds */
  step(by) {
    const { sounds, selected } = this;
    this.select(sounds[clamp(sounds.findIndex(({ id }) => id === selected) + by, 0, sounds.length - 1)]?.id);
  }

  /** A place outside the loop can only be heard with the loop off; the region stays for later. @param {number} time s */
  seek(time) {
    this.cursor = this.cue = clamp(time, 0, this.duration);   // the cue: where the end of the clip returns to
    const [a, b] = this.region ?? [0, 0];
    if (this.cursor < a || this.cursor >= b) this.looping = false;
    if (this.transport.playback) this.transport.play(this.cursor);
    this.refresh();
  }

  /** Seeks by a step; inside a loop it stays there. @param {number} by s */
  nudge(by) {
    const [low, high] = this.activeLoop ?? [0, this.duration];
    this.seek(clamp(this.position + by, low, high - 1 / this.rate));
  }

  rewind() { this.seek(this.activeLoop?.[0] ?? 0); }

  /** @param {Span | null} region */
  setLoop(region, { restart = true } = {}) {
    if (!region && !this.region) return;
    this.region = region && fitRegion(region, this.duration);
    this.looping = Boolean(region);
    if (this.region && restart) this.cue = this.cursor = this.region[0];
    if (this.transport.playback) this.transport.play(region && restart ? this.cursor : undefined);
    this.refresh();
  }

  toggleLoop() {
    if (!this.region) return void this.setLoop([this.position - 0.5, this.position + 0.5], { restart: false });
    this.looping = !this.looping;
    if (this.looping) this.cursor = clamp(this.cursor, ...this.region);
    if (this.transport.playback) this.transport.play();
    this.refresh();
  }

  /** @param {boolean} matched */
  setMatched(matched) {
    this.matched = matched;
    this.transport.applyGains();
    this.refresh();
  }

  /** @param {View} view */
  setView(view) {
    this.view = view;
    this.refresh();
  }

  /** @param {Axis} axis */
  setAxis(axis) {
    this.axis = axis;
    this.refresh();
  }

  /** @param {Span | null} zoom */
  setZoom(zoom) {
    const view = zoom && fitView(zoom, this.duration);
    this.zoom = view && view[1] - view[0] < this.duration ? view : null;
    this.inView = !this.zoom || (this.position >= this.zoom[0] && this.position <= this.zoom[1]);
    this.refresh();
  }

  /**
   * Zooms around a time that stays where it is on the screen; by default the playhead, or the middle.
   *
   * @param {number} factor
   * @param {number} [around] s
   */
  zoomBy(factor, around) {
    const [t0, t1] = this.span;
    const { position } = this;
    const centre = around ?? (position >= t0 && position <= t1 ? position : (t0 + t1) / 2);
    this.setZoom(zoomed(this.span, factor, centre, this.duration));
  }

  /** From elsewhere on the page, a row of the table of metrics for example. @param {Command} command */
  command({ track, loop, play, scroll }) {
    if (track !== undefined) this.select(track);
    if (loop) this.setLoop(loop);
    if (play && !this.playing) this.transport.play();
    if (scroll) goTo(this.host);
  }

  // ------------------------------------------------ drawing

  onStart() {
    silenceOthers(this);
    this.inView = true;
    this.refresh();
  }

  onFrame() {
    this.turnPage();
    this.controls.renderPlayhead();
  }

  /** Turns to the playhead's page when it leaves the view, and only then: a listener may look elsewhere meanwhile. */
  turnPage() {
    const { position, span: [t0, t1] } = this;
    const inside = position >= t0 && position <= t1;
    if (inside) this.inView = true;
    else if (this.inView && !this.gestures.drag) this.setZoom([position, position + t1 - t0]);
  }

  /** Brings the page up to date, at most once per frame. */
  refresh() {
    if (this.painting) return;
    this.painting = true;
    this.host.dataset.ready = '0';
    // A hidden page gets no frames, and nothing needs drawing there before it is seen.
    if (document.hidden) queueMicrotask(() => this.paint());
    else requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.painting = false;
    const tracks = this.ordered;
    this.host.hidden = !tracks.length;
    if (tracks.length) {
      this.controls.render(tracks);
      const { view, axis, highest, span, duration, matched } = this;
      for (const track of tracks) {
        const { row, spec } = track;
        const state = track.problem ? 'failed' : spec.state;
        const problem = track.problem ?? (state === 'failed' ? spec.error ?? 'This output failed.' : null);
        const drawn = { ...track, state, problem };
        row.render(drawn, { audible: track.id === this.selected, matched });
        row.paint(drawn, { view, axis, highest, span, duration });
      }
    }
    this.host.dataset.ready = this.settled ? '1' : '0';
  }
}

/** @param {Host} host */
export function mount(host) {
  for (const player of players) {   // what Gradio has taken off the page
    if (player.host.isConnected && player.host !== host) continue;
    player.transport.closeContext();
    players.delete(player);
  }
  return new Player(host);
}
