// The transport: what plays, from where, and how one run takes over from another.

import { Fader, Playback, assemble, soon } from './sound.js';
import { JOIN_LEAD, fitRegion, joinPoint, positionAt, schedule } from './timing.js';

const START_LEAD = 0.05;   // s between asking for sound and the first sample

/** Runs of all takes, one after the other. What is chosen, looped and shown it asks the player. */
export class Transport {
  constructor(player) {
    Object.assign(this, { player, context: null, playback: null, leaving: null, assembled: null });
    Object.assign(this, { starting: false, frame: null, level: 1 });
  }

  get playing() { return this.starting || Boolean(this.playback); }

  /** What is being heard now: the clock runs ahead of the loudspeaker by the output latency. */
  get audibleTime() { return this.context.currentTime - (this.context.outputLatency || 0); }
  get position() {
    if (!this.playback) return this.player.cursor;
    return positionAt(this.runAt(this.audibleTime).plan, this.audibleTime);
  }

  /** The run heard at a time of the context's clock: just before a hand-over, still the one that leaves. */
  runAt(time) {
    return this.leaving && this.playback.carriesOn && time < this.playback.when ? this.leaving : this.playback;
  }

  wake() {
    if (!this.context) {
      this.context = new AudioContext({ sampleRate: this.player.rate });
      this.volume = new Fader(this.context);
      this.volume.node.connect(this.context.destination);
      this.volume.jumpTo(this.level ** 2, 0);
    }
    return this.context;
  }

  /** Plays once the clock of the context runs: a source scheduled before that starts late, unnoticed. */
  async begin(context) {
    this.starting = true;
    this.player.refresh();
    await context.resume().catch(() => {});   // refused when the context is closed meanwhile
    if (this.starting && context === this.context) this.play();
  }

  closeContext() {
    this.stop();
    this.context?.close();
    this.context = null;
  }

  /** A context keeps the sample rate it was made with. */
  matchRate(rate) {
    if (this.context && this.context.sampleRate !== rate) this.closeContext();
  }

  /** Whether the run that plays began before this take arrived. */
  lacks(id) {
    return Boolean(this.playback) && !this.playback.faders.has(id);
  }

  /** Starts a run at `position`, or, without one, carries on from the run it replaces without losing a sample. */
  play(position) {
    if (!this.player.takes.length) return;
    const context = this.wake();
    if (context.state !== 'running') {
      this.player.cursor = position ?? this.player.cursor;
      return void (this.starting || this.begin(context));
    }
    this.starting = false;
    const previous = this.playback;
    const carriesOn = Boolean(previous) && position === undefined;
    const start = carriesOn ? joinPoint(this.runAt(context.currentTime + JOIN_LEAD).plan, context.currentTime)
      : { when: soon(context, START_LEAD), position: position ?? this.player.cursor };
    if (!start) return;   // the clip ends before another run could begin
    const options = { region: this.player.activeLoop, fadeIn: Boolean(previous), carriesOn };
    this.playback = this.perform(context, this.volume.node, start, options);
    this.handOver(previous, start.when);
    this.player.inView = true;
    this.player.refresh();
    this.follow();
  }

  /** The run before leaves when the new one begins; if it has not begun itself by then, so does the one before it. */
  handOver(previous, when) {
    previous?.stop(when);
    if (this.leaving && when < previous.when) this.leaving.stop(when);
    else this.leaving = previous;
  }

  /** The one place where takes become sound, for loudspeakers and for tests alike. */
  perform(context, output, start, { region, gainOf = (id) => this.player.gainOf(id), ...options }) {
    const { takes, rate } = this.player;
    const plan = schedule({ rate, region, clipFrames: takes[0].buffer.length, ...start });
    const key = [plan.firstFrame, plan.frames, plan.loops, ...takes.map(({ urls }) => urls.buffer)].join(' ');
    if (this.assembled?.key !== key) this.assembled = { key, buffer: assemble(takes, plan) };
    const ids = takes.map(({ id }) => id);
    return new Playback(context, output, { ids, buffer: this.assembled.buffer, plan, gainOf, ...options });
  }

  /** The same graph, rendered. `switches`: [[time in s, take id], ...] in order; those at 0 choose the first take. */
  async renderOffline({ switches = [], seconds, matched, loop = null } = {}) {
    const { player } = this;
    const context = new OfflineAudioContext(1, Math.round((seconds ?? player.duration) * player.rate), player.rate);
    const region = loop && fitRegion(loop, player.duration);
    let audible = switches.filter(([time]) => time <= 0).pop()?.[1] ?? player.selected;
    const gainOf = (id) => player.gainOf(id, audible, matched);
    const start = { when: 0, position: region?.[0] ?? 0 };
    const playback = this.perform(context, context.destination, start, { region, gainOf });
    for (const [time, id] of switches.filter(([time]) => time > 0)) {
      audible = id;
      playback.fade(gainOf, time);
    }
    return (await context.startRendering()).getChannelData(0);
  }

  /** The run that is heard and, for the moment of a hand-over, the one it takes over from. */
  get runs() { return [this.leaving, this.playback].filter(Boolean); }

  stop() {
    this.runs.forEach((run) => run.stop(soon(this.context)));
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
    // A run that began before the chosen take arrived sounds on as it was until it hands over.
    const able = this.runs.filter((run) => run.faders.has(this.player.selected));
    able.forEach((run) => run.fade((id) => this.player.gainOf(id), soon(this.context)));
  }

  setVolume(level) {
    this.level = level;
    if (this.context) this.volume.rampTo(level ** 2, soon(this.context));   // squared: even to the ear
  }

  /** Once per frame while playing. */
  follow() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.playback) return;
      if (!this.player.shown) return void this.pause();   // another tab of the app, or taken off the page
      if (this.playback.endedAt(this.audibleTime)) return void this.finish();
      if (this.audibleTime > this.playback.when) this.leaving = null;
      this.player.turnPage();
      this.player.controls.renderPlayhead();
      this.follow();
    });
  }

  finish() {
    this.stop();
    this.player.cursor = this.player.cue;
    this.player.refresh();
  }
}
