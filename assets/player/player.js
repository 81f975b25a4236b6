// The synchronized multi-take player: many renderings of one recording, one transport, one ear.
//
// mount(host) -> player; player.update(value) with the JSON that ui/player.py sends. Text from users (titles
// are file names) reaches the page through textContent only. How it sounds is in sound.js and transport.js.

import { Controls } from './controls.js';
import { Gestures } from './gestures.js';
import { Loader } from './loader.js';
import { clamp, decibels } from './numbers.js';
import { players } from './players.js';
import { MIN_SPAN, fitRegion, fitView } from './timing.js';
import { Transport } from './transport.js';

const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

/** What is known and chosen. The other files show it, play it and change it through its methods. */
class Player {
  constructor(host) {
    Object.assign(this, { host, parent: host.parentElement, value: null, tracks: new Map() });
    Object.assign(this, { view: 'spectrogram', axis: 'mel', matched: true });   // survive a new session
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
    players.add(this);
    if (!this.host.isConnected) this.host = this.parent?.querySelector('.lab-player') ?? this.host;
    if (this.controls.root.parentNode !== this.host) this.host.replaceChildren(this.controls.root);
    this.host.labPlayer = this;
  }

  // ------------------------------------------------ data from Python

  reset() {
    this.transport.stop();
    this.loader.reset();
    Object.assign(this, { tracks: new Map(), selected: null, chosen: false, region: null, looping: false });
    Object.assign(this, { zoom: null, cursor: 0, cue: 0, inView: true });
  }

  update(value) {
    this.attach();
    if (value?.session !== this.value?.session) this.reset();
    if (value) this.transport.matchRate(value.sample_rate);
    this.value = value;
    this.loader.update(value?.tracks ?? []);
    this.transport.applyGains();   // a loudness measured late moves with a ramp, like a switch
    this.refresh();
  }

  // ------------------------------------------------ what is known

  get ordered() { return [...this.tracks.values()].sort((a, b) => a.index - b.index); }
  get takes() { return this.ordered.filter((track) => track.buffer); }
  get rate() { return this.value?.sample_rate ?? 22050; }
  get duration() { return this.takes[0]?.buffer.duration ?? this.value?.seconds ?? 0; }
  get highest() { return this.value.spectrogram.frequency_max; }
  get span() { return fitView(this.zoom ?? [0, this.duration], this.duration); }
  get activeLoop() { return this.looping ? this.region : null; }
  get playing() { return this.transport.playing; }
  get position() { return this.transport.position; }
  get shown() { return this.host.isConnected && this.host.getClientRects().length > 0; }

  /** How loud a take is, 0 for all but the audible one. */
  gainOf(id, audible = this.selected, matched = this.matched) {
    if (id !== audible) return 0;
    return matched ? decibels(this.tracks.get(id)?.spec.gain_db ?? 0) : 1;
  }

  get settled() {
    const ready = this.ordered.filter((track) => track.spec.state === 'ready');
    return ready.length > 0 && ready.every((track) => !track.loading.size);
  }

  get state() {
    const tracks = this.takes.map((track) => track.id);
    const { selected, matched, view, axis, position: time, span: zoom, activeLoop: loop } = this;
    const gains = Object.fromEntries(tracks.map((id) => [id, this.gainOf(id)]));
    const ready = this.host.dataset.ready === '1';
    return { ready, playing: this.playing, time, selected, matched, loop, view, axis, zoom, tracks, gains };
  }

  /** What the loudspeakers would get, for tests. */
  renderOffline(options) {
    return this.transport.renderOffline(options);
  }

  // ------------------------------------------------ what the listener does

  select(id) {
    if (!this.tracks.get(id)?.buffer) return;
    Object.assign(this, { selected: id, chosen: true });
    if (this.transport.lacks(id)) this.transport.play();   // it has only just arrived
    this.transport.applyGains();
    this.refresh();
  }

  step(by) {
    const ids = this.takes.map((track) => track.id);
    this.select(ids[clamp(ids.indexOf(this.selected) + by, 0, ids.length - 1)]);
  }

  /** A place outside the loop can only be heard with the loop off; the region stays for later. */
  seek(time) {
    this.cursor = clamp(time, 0, this.duration);
    this.cue = this.cursor;   // where the end of the clip returns to
    const [a, b] = this.region ?? [0, 0];
    if (this.cursor < a || this.cursor >= b) this.looping = false;
    if (this.transport.playback) this.transport.play(this.cursor);
    this.refresh();
  }

  /** Seeks by a step; inside a loop it stays there. */
  nudge(by) {
    const [low, high] = this.activeLoop ?? [0, this.duration];
    this.seek(clamp(this.position + by, low, high - 1 / this.rate));
  }

  rewind() {
    this.seek(this.activeLoop?.[0] ?? 0);
  }

  setLoop(region, { restart = true } = {}) {
    if (!region && !this.region) return;
    this.region = region && fitRegion(region, this.duration);
    this.looping = Boolean(region);
    if (region && restart) this.cue = this.cursor = this.region[0];
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

  setMatched(matched) {
    this.matched = matched;
    this.transport.applyGains();
    this.refresh();
  }

  setView(view) {
    this.view = view;
    this.refresh();
  }

  setAxis(axis) {
    this.axis = axis;
    this.refresh();
  }

  setZoom(zoom) {
    const view = zoom && fitView(zoom, this.duration);
    this.zoom = view && view[1] - view[0] < this.duration ? view : null;
    this.inView = !this.zoom || (this.position >= view[0] && this.position <= view[1]);
    this.refresh();
  }

  /** Zooms around a time that stays where it is on the screen; by default the playhead, or the middle. */
  zoomBy(factor, around) {
    const [t0, t1] = this.span;
    const { position } = this;
    const centre = around ?? (position >= t0 && position <= t1 ? position : (t0 + t1) / 2);
    const span = clamp((t1 - t0) * factor, Math.min(MIN_SPAN, this.duration), this.duration);
    const left = centre - ((centre - t0) / (t1 - t0)) * span;
    this.setZoom([left, left + span]);
  }

  /** From elsewhere on the page: {track, loop: [a, b], play, scroll}; a row of the table of metrics, for example. */
  command({ track, loop, play, scroll }) {
    if (track !== undefined) this.select(track);
    if (loop) this.setLoop(loop);
    if (play && !this.playing) this.transport.play();
    if (scroll) this.host.scrollIntoView({ block: 'start', behavior: calm.matches ? 'auto' : 'smooth' });
  }

  // ------------------------------------------------ drawing

  /** Turns to the playhead's page when it leaves the view, and only then: a listener may look elsewhere meanwhile. */
  turnPage() {
    const [t0, t1] = this.span;
    const { position } = this;
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
        const { row, spec, index } = track;
        track.state = spec.state === 'failed' || track.problem ? 'failed' : spec.state;
        const problem = track.problem ?? (track.state === 'failed' ? spec.error ?? 'This take failed.' : null);
        row.render({ ...track, problem }, index, { audible: track.id === this.selected, matched });
        row.paint(track, { view, axis, highest, span, duration });
      }
    }
    this.host.dataset.ready = this.settled ? '1' : '0';
  }
}

export function mount(host) {
  for (const player of players) {   // what Gradio has taken off the page
    if (player.host.isConnected && player.host !== host) continue;
    player.transport.closeContext();
    players.delete(player);
  }
  return new Player(host);
}
