// The blind player. It holds the sounds of one step, plays them through the same transport as the Compare
// page (all in step, one of them audible), and keeps the books on what was heard.

import { clamp } from '../../player/numbers.js';
import { soon } from '../../player/sound.js';
import { fitRegion } from '../../player/timing.js';
import { Transport } from '../../player/transport.js';
import { Coverage, heard } from './coverage.js';

/** @import { Sound, Span, TransportHost } from '../../player/interfaces.js' */
/** @import { Schedule } from '../../player/timing.js' */
/** @import { Piece, Turn } from './coverage.js' */
/** @import { Kept } from './kept-trial.js' */
/** @import { Server } from '../server.js' */

const DEFAULT_RATE_HZ = 22050;   // until a step says otherwise

/**
 * A player over slots that have a place and no name.
 *
 * @implements {TransportHost<number>}
 */
export class BlindPlayer {
  rate = DEFAULT_RATE_HZ;
  /** @type {AbortController | null} */
  downloads = null;
  /** @type {Sound<number>[]} */
  slots = [];
  /** @type {number | null} */
  selected = null;
  /** @type {Span | null} */
  region = null;
  looping = false;
  /** Whether another sound begins at its start, or at that of the loop, instead of going on in step. */
  restarts = false;
  cursor = 0;
  cue = 0;
  /** The schedule of the run that sounded at the last look. @type {Schedule | null} */
  watched = null;
  /** When that was, in s of the context's clock. */
  seen = 0;
  /** @type {Turn[]} */
  turns = [];
  switches = 0;
  /** How often each slot was started. @type {number[]} */
  plays = [];
  onchange = () => {};
  coverage = new Coverage(0, 0);

  /** @param {HTMLElement} host where it is on the page */
  constructor(host) {
    this.host = host;
    /** @type {Transport<number>} */
    this.transport = new Transport(this);
  }

  clear() {
    this.downloads?.abort();
    if (this.transport.context) this.transport.stop();
    Object.assign(this, { slots: [], selected: null, region: null, looping: false, restarts: false });
    Object.assign(this, { cursor: 0, cue: 0 });
    Object.assign(this, { watched: null, seen: 0, turns: [], switches: 0, plays: [], onchange: () => {} });
    this.coverage = new Coverage(0, 0);
  }

  /**
   * Fetches and decodes, all or nothing. Errors: `Refusal` of the server, Error where a sound cannot be decoded.
   *
   * @param {Server} server
   * @param {string[]} urls
   */
  async load(server, urls, rate = DEFAULT_RATE_HZ) {
    this.downloads = new AbortController();
    const { signal } = this.downloads;
    this.transport.matchRate(rate);
    this.rate = rate;
    const buffers = await Promise.all(urls.map(async (url) => this.decode(await server.sound(url, signal), rate)));
    if (signal.aborted) return;
    this.slots = buffers.map((buffer, id) => ({ id, buffer }));
    Object.assign(this, { selected: 0, turns: [[0, 0]], plays: urls.map(() => 0) });
    this.coverage = new Coverage(urls.length, this.duration);
    this.onchange();
  }

  /**
   * Needs no real-time context, which browsers grant only after a gesture. Levels stay as they are in the file.
   *
   * @param {ArrayBuffer} bytes
   * @param {number} rate Hz
   */
  decode(bytes, rate) {
    return new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  }

  /**
   * Goes on with what was heard before the page was loaded anew.
   *
   * @param {Pick<Kept, 'heard' | 'plays' | 'switches'>} kept of as many slots
   */
  restore({ heard: pieces, plays, switches }) {
    this.coverage.add(pieces.flatMap((intervals, slot) =>
      intervals.map((interval) => /** @type {Piece} */ ([slot, interval]))));
    Object.assign(this, { plays: [...plays], switches });
    this.onchange();
  }

  // ------------------------------------------------ what the transport asks

  get sounds() { return this.slots; }
  get duration() { return this.slots[0]?.buffer.duration ?? 0; }
  /** @returns {Span | null} */
  get activeLoop() { return this.looping ? this.region ?? [0, this.duration] : null; }
  get playing() { return this.transport.playing; }
  get position() { return this.transport.position; }
  get shown() { return this.host.isConnected && this.host.getClientRects().length > 0; }

  /**
   * @param {number} id
   * @param {number | null} audible
   */
  gainOf(id, audible = this.selected) {
    return id === audible ? 1 : 0;
  }

  onStart() { this.refresh(); }
  onFrame() { this.refresh(); }

  refresh() {
    this.listen();
    this.onchange();
  }

  // ------------------------------------------------ what was heard

  /** Books what has sounded since the last look: by the clock of what leaves the loudspeaker, not of what is queued. */
  listen() {
    const { transport } = this;
    if (!transport.context) return void (this.watched = null);
    const now = Math.max(this.seen, transport.audibleTime);
    if (this.watched && transport.level > 0) this.coverage.add(heard(this.watched, this.turns, this.seen, now));
    this.seen = now;
    this.watched = transport.runAt(now)?.plan ?? null;
    while (this.turns.length > 1 && this.turns[1][0] <= now) this.turns.shift();
  }

  // ------------------------------------------------ what the listener does

  play() {
    if (this.selected === null || this.playing) return;
    this.plays[this.selected] += 1;
    this.transport.play();
  }

  pause() {
    this.transport.pause();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** Chooses what is heard; the sound goes on where it is, or begins. @param {number} id */
  choose(id) {
    if (!this.slots[id]) return;
    const { context } = this.transport;
    if (id !== this.selected) {
      this.listen();
      this.switches += 1;
      this.selected = id;
      if (context && this.transport.playback) this.turns.push([soon(context), id]);
      else this.turns = [[0, id]];
      if (this.playing) this.plays[id] += 1;
      this.transport.applyGains();
      if (this.restarts) this.seek(this.activeLoop?.[0] ?? 0);
    }
    this.play();
    this.onchange();
  }

  /** @param {number} time s */
  seek(time) {
    this.cursor = clamp(time, 0, this.duration);
    this.cue = this.cursor;   // where the end of the clip returns to
    const [a, b] = this.activeLoop ?? [0, Infinity];
    if (this.cursor < a || this.cursor >= b) this.looping = false;
    if (this.transport.playback) this.transport.play(this.cursor);
    this.onchange();
  }

  /** @param {number} by s */
  nudge(by) {
    const [low, high] = this.activeLoop ?? [0, this.duration];
    this.seek(clamp(this.position + by, low, high - 1 / this.rate));
  }

  /** Loops the part between two places; null is the whole clip, once. @param {Span | null} region */
  setRegion(region) {
    this.region = region && fitRegion(region, this.duration);
    this.looping = Boolean(region);
    if (this.region) this.cursor = this.cue = this.region[0];
    if (this.transport.playback) this.transport.play(region ? this.cursor : undefined);
    this.onchange();
  }

  toggleLoop() {
    this.looping = !this.looping;
    if (this.activeLoop) this.cursor = clamp(this.cursor, ...this.activeLoop);
    if (this.transport.playback) this.transport.play();
    this.onchange();
  }

  /** @param {number} level 0 to 1 */
  setLevel(level) {
    this.listen();
    this.transport.setVolume(level);
    this.onchange();
  }
}
