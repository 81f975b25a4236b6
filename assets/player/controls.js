// Everything around the tracks: transport, settings, ruler, legends, help.

import { frequencyAt, timeTicks } from './axes.js';
import { el, icon, iconButton, segmented, setAttribute, setText } from './elements.js';
import { moveFollowers } from './around/followers.js';
import { SHORTCUTS, keysAreOn, switchKeys } from './keyboard.js';
import { clamp, clock, signed } from './numbers.js';
import { MIN_LOOP_SECONDS } from './timing.js';

/** @import { Span, View } from './interfaces.js' */
/** @import { Track } from './loader.js' */
/** @import { Player } from './player.js' */

/** @type {View[]} */
const VIEWS = ['spectrogram', 'difference'];

/** The page of one player: header, rows, legends. It holds nodes and no state; what it shows it asks the player. */
export class Controls {
  rows = el('div', 'lab-rows', { role: 'group', 'aria-label': 'Recording and outputs' });
  hairline = el('div', 'lab-hairline', { hidden: '' });
  overall = el('div', 'lab-overall-bar');
  play = iconButton('play', 'Play', () => this.player.transport.toggle(), 'lab-play');
  now = el('span', 'lab-now');
  total = el('span', 'lab-total');
  loopText = el('span', 'lab-loop-text');
  loop = el('button', 'lab-tool lab-loop-button', { type: 'button', 'aria-label': 'Loop',
    title: 'Loop on, off (L)', onclick: () => this.player.toggleLoop() },
  icon('loop'), el('span', 'lab-loop-word', { text: 'Loop' }));
  loopClear = iconButton('clear', 'Clear the loop', () => this.player.setLoop(null), 'lab-tool lab-loop-clear');
  levels = segmented('Levels', { matched: 'Loudness matched', raw: 'Raw levels' },
    (value) => this.player.setMatched(value === 'matched'));
  views = segmented('View', { spectrogram: 'Spectrogram', difference: 'Difference' },
    (value) => this.player.setView(value));
  axes = segmented('Frequency axis', { mel: 'Mel', linear: 'Linear' }, (value) => this.player.setAxis(value));
  /** @type {HTMLInputElement} */
  volume = el('input', 'lab-volume', { type: 'range', min: 0, max: 1, step: 0.01, value: 1,
    'aria-label': 'Volume', title: 'Volume', oninput: () => this.player.transport.setVolume(Number(this.volume.value)) });
  /** @type {HTMLInputElement} */
  keys = el('input', '', { type: 'checkbox', onchange: () => switchKeys(this.keys.checked) });
  help = el('div', 'lab-help', { hidden: '' }, el('dl', 'lab-shortcuts', {}, ...SHORTCUTS.map(([keys, what]) =>
    el('div', 'lab-shortcut', {}, el('dt', 'lab-keys', { text: keys }), el('dd', 'lab-what', { text: what })))),
  el('label', 'lab-keys-on', {}, this.keys, 'Single keys work, wherever the focus is on the page'));
  helpButton = el('button', 'lab-tool', { type: 'button', text: '?', title: 'Keyboard shortcuts (?)',
    'aria-label': 'Keyboard shortcuts', 'aria-expanded': false, onclick: () => this.toggleHelp() });
  status = el('span', 'lab-status-text', { role: 'status', 'aria-live': 'polite' });
  count = el('span', 'lab-count');
  ticks = el('div', 'lab-ticks', { 'aria-hidden': 'true' });
  handles = ['Start', 'End'].map((name, side) => this.buildHandle(name, side));
  brace = el('div', 'lab-brace', {}, ...this.handles);
  cap = el('div', 'lab-cap');
  readout = el('div', 'lab-readout', { 'aria-hidden': 'true', hidden: '' });
  ruler = el('div', 'lab-ruler', {}, this.ticks, this.brace, this.cap, this.readout);
  rulerDrawn = '';
  legends = VIEWS.map((name) => {
    const [caption, gradient, numbers] = ['lab-caption', 'lab-gradient', 'lab-numbers'].map((c) => el('div', c));
    return { name, caption, gradient, numbers, root: el('div', 'lab-legend', {}, caption, gradient, numbers) };
  });

  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.root = el('div', 'lab-body', {},
      this.buildHeader(), el('div', 'lab-stage', {}, this.rows, this.hairline),
      el('div', 'lab-legends', {}, ...this.legends.map((legend) => legend.root)));
  }

  buildHeader() {
    const timeline = el('div', 'lab-timeline', {}, el('div', 'lab-status', {}, this.status, this.count), this.ruler);
    return el('div', 'lab-header', {},
      el('div', 'lab-controls', {}, this.buildTransport(), this.buildSettings()), this.help, timeline,
      el('div', 'lab-overall', { 'aria-hidden': 'true' }, this.overall));
  }

  buildTransport() {
    return el('div', 'lab-transport', { role: 'group', 'aria-label': 'Transport' },
      iconButton('start', 'Back to the start', () => this.player.rewind()), this.play,
      el('div', 'lab-time', {}, el('div', '', {}, this.now, this.total), this.loopText),
      el('div', 'lab-tools', {}, this.loop, this.loopClear));
  }

  buildSettings() {
    const { player } = this;
    return el('div', 'lab-settings', {}, this.levels.root, this.views.root, this.axes.root,
      el('div', 'lab-tools', { role: 'group', 'aria-label': 'Zoom' },
        iconButton('out', 'Zoom out', () => player.zoomBy(2)), iconButton('in', 'Zoom in', () => player.zoomBy(0.5)),
        iconButton('fit', 'Fit the whole clip', () => player.setZoom(null))),
      el('div', 'lab-tools lab-sound', {}, icon('volume'), this.volume, this.helpButton));
  }

  /**
   * A loop edge is a slider, so that the keyboard reaches it too.
   *
   * @param {string} name
   * @param {number} side of the region: 0 or 1
   * @returns {HTMLDivElement}
   */
  buildHandle(name, side) {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -0.05, ArrowDown: -0.05, ArrowRight: 0.05, ArrowUp: 0.05 };   // s
    return el('div', 'lab-handle', { role: 'slider', tabindex: 0, 'aria-label': `${name} of the loop`,
      onkeydown: (event) => {
        const { region, duration } = this.player;
        if (!region || !(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        /** @type {Span} */
        const moved = [...region];
        moved[side] = clamp(moved[side] + steps[event.key], 0, duration);
        if (moved[1] - moved[0] >= MIN_LOOP_SECONDS) this.player.setLoop(moved, { restart: false });
      } });
  }

  toggleHelp(shown = this.help.hidden) {
    this.help.hidden = !shown;
    this.keys.checked = keysAreOn();
    setAttribute(this.helpButton, 'aria-expanded', !this.help.hidden);
  }

  /** @param {number} clientX */
  timeAt(clientX) {
    const { left, width } = this.ruler.getBoundingClientRect();
    const [t0, t1] = this.player.span;
    return clamp(t0 + ((clientX - left) / width) * (t1 - t0), 0, this.player.duration);
  }

  /** Distance of a time from the left end of the ruler, in px. @param {number} time */
  xOf(time) {
    const [t0, t1] = this.player.span;
    return ((time - t0) / (t1 - t0)) * this.ruler.clientWidth;
  }

  /** @param {Track[]} tracks */
  render(tracks) {
    this.rows.dataset.density = tracks.length <= 4 ? 'tall' : tracks.length <= 6 ? 'medium' : 'compact';
    this.renderTransport();
    this.renderRuler();
    this.renderLegends();
    this.renderStatus();
    this.renderLoop();
  }

  renderTransport() {
    const { player } = this;
    const [label, sign] = player.playing ? /** @type {const} */ (['Pause', 'pause'])
      : /** @type {const} */ (['Play', 'play']);
    this.play.disabled = !player.sounds.length;
    if (this.play.title !== label) {
      this.play.replaceChildren(icon(sign));
      this.play.title = label;
      setAttribute(this.play, 'aria-label', label);
    }
    setText(this.total, ` / ${clock(player.duration)}`);
    setAttribute(this.loop, 'aria-pressed', player.looping);
    const text = player.region ? player.region.map((t) => t.toFixed(2)).join(' \u2013 ') : '';
    setText(this.loopText, text ? `Loop ${text} s` : 'Drag to loop');
    this.loopText.classList.toggle('lab-off', !player.looping);
    this.loopClear.classList.toggle('lab-unused', !player.region);
    this.levels.set(player.matched ? 'matched' : 'raw');
    this.views.set(player.view);
    this.axes.set(player.axis);
    this.renderPlayhead();
  }

  renderPlayhead() {
    const { position } = this.player;
    const move = `translateX(${this.xOf(position).toFixed(2)}px)`;
    setText(this.now, clock(position));
    this.cap.style.transform = move;
    for (const { row } of this.player.tracks.values()) row.playhead.style.transform = move;
    moveFollowers(this.player);
  }

  renderLoop(region = this.player.region, active = this.player.looping) {
    const [t0, t1] = this.player.span;
    /** @type {(seconds: number) => string} */
    const percent = (seconds) => `${(100 * seconds) / (t1 - t0)}%`;
    for (const band of [this.brace, ...this.player.ordered.map(({ row }) => row.loop)]) {
      band.hidden = !region;
      band.classList.toggle('lab-off', !active);
      if (region) Object.assign(band.style, { left: percent(region[0] - t0), width: percent(region[1] - region[0]) });
    }
    if (!region) return;
    this.handles.forEach((handle, side) => {
      const at = region[side].toFixed(2);
      const end = this.player.duration.toFixed(2);
      const range = { valuemin: 0, valuemax: end, valuenow: at, valuetext: `${at} seconds` };
      Object.entries(range).forEach(([name, value]) => setAttribute(handle, `aria-${name}`, value));
    });
  }

  renderRuler() {
    const [t0, t1] = this.player.span;
    const width = this.ruler.clientWidth;
    const drawn = [t0, t1, width].join(' ');
    if (!width || drawn === this.rulerDrawn) return;
    this.rulerDrawn = drawn;
    this.ticks.replaceChildren(...timeTicks(this.player.span, width).map(({ x, major, text }) => {
      const tick = el('span', major ? 'lab-tick lab-major' : 'lab-tick', { text });
      tick.style.left = `${x}px`;
      return tick;
    }));
  }

  renderLegends() {
    const { value, view } = this.player;
    if (!value) return;
    const { spectrogram, colours } = value;
    const { db_min: low, db_max: high, difference_db: limit } = spectrogram;
    /** @type {Record<View, [caption: string, labels: string[]]>} */
    const scales = {
      spectrogram: ['Level, dB', [0, 1, 2, 3, 4].map((i) => signed(low + ((high - low) * i) / 4, 0))],
      difference: ['Output minus recording, dB', [-1, -0.5, 0, 0.5, 1].map((part) => signed(part * limit, 0))],
    };
    for (const { name, root, caption, gradient, numbers } of this.legends) {
      const [text, labels] = scales[name];
      root.hidden = !colours[name] || (name === 'difference' && view !== 'difference');
      if (root.hidden || root.dataset.drawn === labels.join()) continue;
      root.dataset.drawn = labels.join();
      setText(caption, text);
      gradient.style.backgroundImage = `linear-gradient(90deg, ${colours[name].join(', ')})`;
      numbers.replaceChildren(...labels.map((label) => el('span', '', { text: label })));
    }
  }

  renderStatus() {
    if (!this.player.value) return;
    const { state, text, done, total } = this.player.value.status;
    setText(this.status, text);
    setAttribute(this.status, 'title', text);
    setText(this.count, state === 'running' && total ? `${done} / ${total}` : '');
    if (this.overall.parentElement) this.overall.parentElement.dataset.state = state;
    this.overall.style.transform = `scaleX(${total ? clamp(done / total, 0, 1) : 0})`;
  }

  /**
   * Time and frequency under the pointer, and a line through all tracks; `lane` null hides them.
   *
   * @param {MouseEvent} event
   * @param {HTMLElement | null} lane
   */
  point(event, lane) {
    this.hairline.hidden = !lane;
    this.readout.hidden = !lane;
    if (!lane) return;
    const { left, width } = this.ruler.getBoundingClientRect();
    const { top, height } = lane.getBoundingClientRect();
    const x = event.clientX - left;
    const hz = frequencyAt(clamp(1 - (event.clientY - top) / height, 0, 1), this.player.axis, this.player.highest);
    const frequency = hz < 1000 ? `${Math.round(hz)} Hz` : `${(hz / 1000).toFixed(2)} kHz`;
    const text = `${this.timeAt(event.clientX).toFixed(3)} s`;
    setText(this.readout, lane === this.ruler ? text : `${text}   ${frequency}`);
    this.readout.style.transform = `translateX(${x}px) translateX(${x > width / 2 ? 'calc(-100% - 6px)' : '6px'})`;
    this.hairline.style.transform = `translateX(${event.clientX - this.rows.getBoundingClientRect().left}px)`;
  }
}
