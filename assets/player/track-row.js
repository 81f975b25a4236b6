// One track on the page: its button, its level, its download, its picture.

import { frequencyTicks } from './axes.js';
import { el, icon, setAttribute, setText } from './elements.js';
import { clamp, signed } from './numbers.js';
import { emptyRows, onAxis, penOf } from './pictures.js';

/** @import { Axis, Span, TrackValue, View } from './interfaces.js' */
/** @import { Kind, Track } from './loader.js' */
/** @import { Picture } from './pictures.js' */
/** @import { Player } from './player.js' */
/** @typedef {TrackValue['state']} State */
/** @typedef {Track & {state: State}} DrawnTrack a track whose `problem` has the sentence for the page */

const MIN_WORD_HEIGHT_PX = 13;   // of an empty part of a lane that can hold its word
const MIN_CRISP_COLUMN_PX = 3;   // from this width on spectrogram columns are drawn with hard edges
const STATE_TEXT = { waiting: 'Waiting', running: 'Running', failed: 'Not available',
  stopped: 'Stopped', ready: 'Loading' };

export class TrackRow {
  /**
   * @param {Player} player
   * @param {string} id
   */
  constructor(player, id) {
    this.badge = el('span', 'lab-key', { 'aria-hidden': 'true' });
    this.title = el('span', 'lab-title');
    this.about = el('span', 'lab-about');
    this.message = el('span', 'lab-message');
    this.bar = el('span', 'lab-bar');
    this.button = el('button', 'lab-select', { type: 'button', onclick: () => player.select(id) },
      this.badge, el('span', 'lab-words', {}, this.title, this.about, this.message,
        el('span', 'lab-progress', { 'aria-hidden': 'true' }, this.bar)));
    this.download = el('a', 'lab-tool lab-download', {}, icon('download'));
    this.retry = el('button', 'lab-tool lab-retry', { type: 'button', hidden: '', text: 'Try again',
      onclick: () => player.loader.retry() });
    this.chip = el('span', 'lab-chip', { title: 'Change of level that brings all tracks to one loudness' });
    this.canvas = el('canvas', 'lab-canvas', { role: 'img' });
    this.scale = el('div', 'lab-scale', { 'aria-hidden': 'true' });
    this.loop = el('div', 'lab-loop');
    this.playhead = el('div', 'lab-playhead');
    this.note = el('div', 'lab-note');
    this.absent = el('div', 'lab-absent', { hidden: '', 'aria-hidden': 'true' }, el('span', 'lab-absent-word', { text: 'not in it' }));
    this.lane = el('div', 'lab-lane', {}, this.canvas, this.absent, this.loop, this.scale, this.note, this.playhead);
    this.root = el('div', 'lab-row', {},
      el('div', 'lab-label', {}, this.button, el('div', 'lab-side', {}, this.retry, this.download, this.chip)), this.lane);
    this.drawn = '';
  }

  /**
   * @param {DrawnTrack} track
   * @param {{audible: boolean, matched: boolean}} shown
   */
  render({ spec, index, state, problem, buffer, loading, lost }, { audible, matched }) {
    const key = index < 10 ? String((index + 1) % 10) : '';
    const pressed = audible && Boolean(buffer);
    setText(this.badge, key);
    setText(this.title, spec.title);
    setText(this.about, spec.about ?? '');
    setText(this.message, problem ?? this.progressText(spec, state, loading));
    setText(this.chip, matched && Number.isFinite(spec.gain_db) && buffer ? `${signed(spec.gain_db)} dB` : '');
    setAttribute(this.button, 'title', [spec.title, spec.about, problem].filter(Boolean).join('\n'));
    setAttribute(this.button, 'aria-pressed', pressed);
    if (key) setAttribute(this.button, 'aria-keyshortcuts', key);
    this.button.disabled = !buffer;
    this.retry.hidden = !lost;
    this.root.dataset.state = state;
    this.root.dataset.role = spec.role;
    this.root.classList.toggle('lab-audible', pressed);
    this.bar.style.transform = `scaleX(${clamp(spec.progress ?? 0, 0, 1)})`;
    this.renderDownload(spec);
  }

  /**
   * @param {TrackValue} spec
   * @param {State} state
   * @param {Set<Kind>} loading
   */
  progressText({ progress }, state, loading) {
    if (state === 'ready' && !loading.has('buffer')) return '';
    const percent = state === 'running' && progress != null ? `, ${Math.round(progress * 100)} %` : '';
    return STATE_TEXT[state] + percent;
  }

  /** Nothing of an output that is not yet whole. @param {TrackValue} spec */
  renderDownload({ audio, download, title, state }) {
    this.download.hidden = !audio?.url || state !== 'ready';
    if (!audio?.url) return;
    setAttribute(this.download, 'href', audio.url);
    setAttribute(this.download, 'download', download ?? '');
    setAttribute(this.download, 'aria-label', `Download ${title}`);
    setAttribute(this.download, 'title', `Download ${download ?? title}`);
  }

  /**
   * Draws the picture for the current view, or says why there is none; nothing happens when nothing changed.
   *
   * @param {DrawnTrack} track
   * @param {{view: View, axis: Axis, highest: number, span: Span, duration: number}} shown
   */
  paint(track, { view, axis, highest, span: [t0, t1], duration }) {
    const difference = view === 'difference' && track.spec.role !== 'reference';
    const picture = difference ? track.difference : track.image;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.lane.clientWidth * ratio);
    const height = Math.round(this.lane.clientHeight * ratio);
    const drawn = [picture?.url, axis, highest, width, height, t0, t1].join(' ');
    this.describe(track, difference, picture, highest, duration);
    if (drawn === this.drawn || !width) return;
    this.drawn = drawn;
    Object.assign(this.canvas, { width, height, hidden: !picture });
    this.renderScale(picture ? frequencyTicks(axis, highest, height / ratio) : []);
    this.renderAbsent(picture ? emptyRows(picture, axis, height / ratio, highest) : 0);
    if (!picture) return;
    const source = onAxis(picture, axis, height, highest);
    const perSecond = source.width / duration;   // columns
    const columns = perSecond * (t1 - t0);
    const pen = penOf(this.canvas);
    pen.imageSmoothingEnabled = width / columns < MIN_CRISP_COLUMN_PX * ratio;
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(source, perSecond * t0, 0, columns, height, 0, 0, width, height);
  }

  /**
   * @param {DrawnTrack} track
   * @param {boolean} difference
   * @param {Picture | null} picture
   * @param {number} highest Hz
   * @param {number} duration s
   */
  describe({ spec, state, loading }, difference, picture, highest, duration) {
    const what = difference ? `Difference in level between ${spec.title} and the recording`
      : `Spectrogram of ${spec.title}`;
    const own = Math.min(picture?.highest ?? highest, highest);
    const above = own < highest ? `, nothing in it above ${Math.round(own / 1000)} kHz` : '';
    const range = `0 to ${Math.round(highest / 1000)} kHz${above}, ${duration.toFixed(1)} s`;
    setAttribute(this.canvas, 'aria-label', `${what}, ${range}`);
    const missing = spec.withheld ?? (difference ? 'No difference map for this track' : 'No spectrogram for this track');
    setText(this.note, picture ? '' : state === 'ready' && !loading.size ? missing : STATE_TEXT[state]);
  }

  /** The part of the lane above the picture's highest frequency. @param {number} height px */
  renderAbsent(height) {
    this.absent.hidden = height < 1;
    this.absent.style.height = `${height}px`;
    this.absent.classList.toggle('lab-narrow', height < MIN_WORD_HEIGHT_PX);
  }

  /** @param {{hz: number, y: number}[]} ticks */
  renderScale(ticks) {
    this.scale.replaceChildren(...ticks.map(({ hz, y }) => {
      const label = el('span', 'lab-hertz', { text: hz < 1000 ? String(hz) : `${hz / 1000}k` });
      label.style.top = `${y}px`;
      return label;
    }));
  }
}
