// The transport: what plays, from where, and how one run takes over from another.

import { Fader, Playback, assemble, soon } from './sound.js';
import { JOIN_LEAD_SECONDS, fitRegion, joinPoint, positionAt, schedule } from './timing.js';

/** @import { Sound, Span, TransportHost } from './interfaces.js' */
/** @typedef {{when: number, position: number}} Start in s of the context's clock, and of the clip */

const START_LEAD_SECONDS = 0.05;   // between asking for sound and the first sample

/**
 * Runs of all sounds, one after the other. It asks the player which one is chosen, looped and shown.
 *
 * @template {string | number} Id
 */
export class Transport {
  /** @type {AudioContext | null} */
  context;
  /** The volume of `context`. @type {Fader | null} */
  volume;
  /** The run that plays. @type {Playback<Id> | null} */
  playback;
  /** The run before, for the moment of the hand-over. @type {Playback<Id> | null} */
  leaving;
  /** @type {{key: string, buffers: AudioBuffer[], buffer: AudioBuffer} | null} */
  assembled;
  /** @type {number | null} */
  frame;

  /** @param {TransportHost<Id>} player */
  constructor(player) {
    this.player = player;
    this.context = this.volume = this.playback = this.leaving = this.assembled = this.frame = null;
    this.starting = false;
    this.level = 1;
  }

  get playing() { return this.starting || Boolean(this.playback); }

  /** The time of the sound that is audible now: the clock runs ahead of the loudspeaker by the output latency. */
  get audibleTime() { return this.context ? this.context.currentTime - (this.context.outputLatency || 0) : 0; }
  get position() {
    const run = this.runAt(this.audibleTime);
    return run ? positionAt(run.plan, this.audibleTime) : this.player.cursor;
  }

  /** The run heard at a time of the context's clock: just before a hand-over, still the one that leaves. @param {number} time */
  runAt(time) {
    const { leaving, playback } = this;
    return leaving && playback?.carriesOn && time < playback.when ? leaving : playback;
  }

  /** The context, which is made when it is first needed, and the volume that all sound passes. */
  wake() {
    this.context ??= new AudioContext({ sampleRate: this.player.rate });
    this.volume ??= this.buildVolume(this.context);
    return { context: this.context, volume: this.volume };
  }

  /** @param {AudioContext} context */
  buildVolume(context) {
    const volume = new Fader(context);
    volume.node.connect(context.destination);
    volume.jumpTo(this.level ** 2, 0);
    return volume;
  }

  /**
   * Plays once the clock of the context runs: a source scheduled before that starts late, unnoticed.
   *
   * @param {AudioContext} context
   */
  async begin(context) {
    this.starting = true;
    this.player.refresh();
    await context.resume().catch(() => {});   // refused when the context is closed meanwhile
    if (this.starting && context === this.context) this.play();
  }

  closeContext() {
    this.stop();
    this.context?.close();
    this.context = this.volume = null;
  }

  /** A context keeps the sample rate it was made with. @param {number} rate Hz */
  matchRate(rate) {
    if (this.context && this.context.sampleRate !== rate) this.closeContext();
  }

  /** Whether the run that plays began before this sound arrived, or before there was more of it. @param {Sound<Id>} sound */
  lacks({ id, buffer }) {
    return this.playback !== null && this.playback.buffers.get(id) !== buffer;
  }

  /**
   * Starts a run at `position`, or, without one, carries on from the run it replaces without losing a sample.
   *
   * @param {number} [position] s of the clip
   */
  play(position) {
    if (!this.player.sounds.length) return;
    const { context, volume } = this.wake();
    if (context.state !== 'running') {
      this.player.cursor = position ?? this.player.cursor;
      return void (this.starting || this.begin(context));
    }
    this.starting = false;
    const previous = this.playback;
    const carried = position === undefined ? this.runAt(context.currentTime + JOIN_LEAD_SECONDS) : null;
    const start = carried ? joinPoint(carried.plan, context.currentTime)
      : { when: soon(context, START_LEAD_SECONDS), position: position ?? this.player.cursor };
    if (!start) return;   // the clip ends before another run could begin
    const options = { region: this.player.activeLoop, fadeIn: Boolean(previous), carriesOn: Boolean(carried) };
    this.playback = this.perform(context, volume.node, start, options);
    this.handOver(previous, start.when);
    this.player.onStart();
    this.follow();
  }

  /**
   * The run before leaves when the new one begins; if it has not begun itself by then, so does the one before it.
   *
   * @param {Playback<Id> | null} previous
   * @param {number} when s of the context's clock
   */
  handOver(previous, when) {
    previous?.stop(when);
    if (this.leaving && previous && when < previous.when) this.leaving.stop(when);
    else this.leaving = previous;
  }

  /**
   * The one place where sounds become audible, for loudspeakers and for tests alike.
   *
   * @param {BaseAudioContext} context
   * @param {AudioNode} output
   * @param {Start} start
   * @param {object} options
   * @param {Span | null} options.region
   * @param {(id: Id) => number} [options.gainOf]
   * @param {boolean} [options.fadeIn]
   * @param {boolean} [options.carriesOn]
   */
  perform(context, output, start, { region, gainOf = (id) => this.player.gainOf(id), ...options }) {
    const { sounds, rate } = this.player;
    const plan = schedule({ rate, region, clipFrames: sounds[0].buffer.length, ...start });
    const key = [plan.firstFrame, plan.frames, plan.loops].join(' ');
    const buffers = sounds.map((sound) => sound.buffer);
    const { assembled } = this;
    const known = assembled?.key === key && assembled.buffers.length === buffers.length
      && buffers.every((buffer, index) => buffer === assembled.buffers[index]);
    this.assembled = known ? assembled : { key, buffers, buffer: assemble(sounds, plan) };
    return new Playback(context, output, { sounds, buffer: this.assembled.buffer, plan, gainOf, ...options });
  }

  /**
   * The same graph, rendered.
   *
   * @param {object} [options]
   * @param {[time: number, id: Id][]} [options.switches] in order; those at 0 s choose the first sound
   * @param {number} [options.seconds] default: the clip's
   * @param {boolean} [options.matched]
   * @param {Span | null} [options.loop]
   */
  async renderOffline({ switches = [], seconds, matched, loop = null } = {}) {
    const { player } = this;
    const context = new OfflineAudioContext(1, Math.round((seconds ?? player.duration) * player.rate), player.rate);
    const region = loop && fitRegion(loop, player.duration);
    let audible = switches.filter(([time]) => time <= 0).pop()?.[1] ?? player.selected;
    const gainOf = (/** @type {Id} */ id) => player.gainOf(id, audible, matched);
    const start = { when: 0, position: region?.[0] ?? 0 };
    const playback = this.perform(context, context.destination, start, { region, gainOf });
    for (const [time, id] of switches.filter(([when]) => when > 0)) {
      audible = id;
      playback.fade(gainOf, time);
    }
    return (await context.startRendering()).getChannelData(0);
  }

  /** The run that is heard and, for the moment of a hand-over, the one it takes over from. */
  get runs() { return [this.leaving, this.playback].filter((run) => run !== null); }

  stop() {
    const { context } = this;
    if (context) this.runs.forEach((run) => run.stop(soon(context)));
    Object.assign(this, { playback: null, leaving: null, starting: false });
  }

  pause() {
    if (!this.playing) return;
    this.player.cursor = this.position;
    this.stop();
    this.player.refresh();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  applyGains() {
    // A run that began before the chosen sound arrived sounds on as it was until it hands over.
    const { context, player: { selected } } = this;
    if (!context || selected === null) return;
    const able = this.runs.filter((run) => run.faders.has(selected));
    able.forEach((run) => run.fade((id) => this.player.gainOf(id), soon(context)));
  }

  /** @param {number} level 0 to 1 */
  setVolume(level) {
    this.level = level;
    if (this.context) this.volume?.rampTo(level ** 2, soon(this.context));   // squared: even to the ear
  }

  /** Once per frame while playing. */
  follow() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.playback) return;
      if (!this.player.shown) return void this.pause();   // another tab of the app, or taken off the page
      if (this.playback.endedAt(this.audibleTime)) return void this.finish();
      if (this.audibleTime > this.playback.when) this.leaving = null;
      this.player.onFrame();
      this.follow();
    });
  }

  finish() {
    this.stop();
    this.player.cursor = this.player.cue;
    this.player.refresh();
  }
}
