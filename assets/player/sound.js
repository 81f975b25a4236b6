// Sound: one run of all sounds, its faders, and the reading of audio files.
//
//                     ┌─ fader of sound 1 ─┐
//   source ─ splitter ┼─ fader of sound 2 ─┼─ bus ─ volume ─ destination
//                     └─ fader of sound 3 ─┘
//
// The sounds are the channels of one source, so they are in lock-step by construction: no scheduler, however late,
// can move one against another. Choosing a sound only moves faders, so a switch never shifts or interrupts the sound,
// and what differs between two sounds is the vocoder and nothing else.

/** @import { Sound } from './interfaces.js' */
/** @import { Schedule } from './timing.js' */

const RAMP_SECONDS = 0.006;       // a switch between sounds
const LOOP_FADE_SECONDS = 0.003;  // fade at both ends of a looped region
const FADE_LEAD_SECONDS = 0.03;   // between a switch and its ramp: an event that reaches the audio thread late is a click

/**
 * The value at a time of a line from v0 at t0 to v1 at t1, which stays at its ends before and after.
 *
 * @param {{t0: number, v0: number, t1: number, v1: number}} line
 * @param {number} time
 */
export function valueOn({ t0, v0, t1, v1 }, time) {
  if (time >= t1) return v1;
  return v0 + (v1 - v0) * Math.max(0, (time - t0) / (t1 - t0));
}

/**
 * A gain that moves along straight lines and knows where it is. Cutting a ramp short needs the value at the cut:
 * cancelAndHoldAtTime finds it, but Firefox lacks it and it leaves no anchor behind when no ramp is running.
 * So the line is kept here, and a cut replaces the ramp's end by the point of the same line at the cut.
 */
export class Fader {
  /** @param {BaseAudioContext} context */
  constructor(context) {
    this.node = new GainNode(context, { gain: 0 });   // a node born at 1 would tick before its first event
    this.line = { t0: 0, v0: 0, t1: 0, v1: 0 };
  }

  /**
   * @param {number} value
   * @param {number} time
   */
  jumpTo(value, time) {
    this.node.gain.setValueAtTime(value, time);
    this.line = { t0: time, v0: value, t1: time, v1: value };
  }

  /**
   * @param {number} target
   * @param {number} time
   */
  rampTo(target, time) {
    const { gain } = this.node;
    const { t0, t1, v0, v1 } = this.line;
    if (time < t0 && t0 === t1) return void this.jumpTo(target, t0);   // nothing sounds before the jump
    if (target === v1 && time >= t0) return;
    const value = valueOn(this.line, time);
    if (time > t1 || t0 === t1) gain.setValueAtTime(value, time);
    else if (time < t0) {
      gain.cancelScheduledValues(time);
      gain.setValueAtTime(v0, time);
    } else {
      gain.cancelScheduledValues(t1);
      if (time > t0) gain.linearRampToValueAtTime(value, time);
    }
    gain.linearRampToValueAtTime(target, time + RAMP_SECONDS);
    this.line = { t0: time, v0: value, t1: time + RAMP_SECONDS, v1: target };
  }
}

/**
 * A sound as one channel: a copy of its samples from `first` on, averaged where a file has several channels. Sounds of other
 * rates, which were resampled when they were decoded, may end a sample earlier: silence is behind their end.
 *
 * @param {AudioBuffer} buffer
 * @param {number} first
 * @param {number} frames
 */
export function mono(buffer, first, frames) {
  const samples = new Float32Array(frames);
  if (buffer.numberOfChannels === 1) {
    samples.set(buffer.getChannelData(0).subarray(first, first + frames));
    return samples;
  }
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const part = buffer.getChannelData(channel).subarray(first, first + frames);
    for (let i = 0; i < part.length; i += 1) samples[i] += part[i] / buffer.numberOfChannels;
  }
  return samples;
}

/**
 * Identical short fades at both ends of every sound, so that the seam of a loop is silent whatever it joins.
 *
 * @param {Float32Array} samples
 * @param {number} rate Hz
 */
export function fadeEdges(samples, rate) {
  const edge = Math.round(LOOP_FADE_SECONDS * rate);
  for (let i = 0; i < edge; i += 1) {
    samples[i] *= i / edge;
    samples[samples.length - 1 - i] *= i / edge;
  }
}

/**
 * The buffer that a run plays, a channel per sound.
 *
 * @param {{buffer: AudioBuffer}[]} sounds
 * @param {Schedule} plan
 */
export function assemble(sounds, { rate, firstFrame, frames, loops }) {
  const buffer = new AudioBuffer({ length: frames, numberOfChannels: sounds.length, sampleRate: rate });
  sounds.forEach((sound, channel) => {
    const samples = mono(sound.buffer, firstFrame, frames);
    if (loops) fadeEdges(samples, rate);
    buffer.copyToChannel(samples, channel);
  });
  return buffer;
}

/**
 * The next whole sample that can still be scheduled, in s of the context's clock.
 *
 * @param {{currentTime: number, sampleRate: number}} context
 */
export function soon({ currentTime, sampleRate }, lead = FADE_LEAD_SECONDS) {
  return Math.ceil((currentTime + lead) * sampleRate) / sampleRate;
}

/**
 * One run of all sounds from one moment on. It never seeks: a new place means a new run, cross-faded in.
 *
 * @template {string | number} Id
 */
export class Playback {
  /**
   * @param {BaseAudioContext} context
   * @param {AudioNode} output
   * @param {object} run
   * @param {Sound<Id>[]} run.sounds in the order of the channels of `buffer`
   * @param {AudioBuffer} run.buffer
   * @param {Schedule} run.plan
   * @param {(id: Id) => number} run.gainOf
   * @param {boolean} [run.fadeIn]
   * @param {boolean} [run.carriesOn] the same sound as the run before, to the sample
   */
  constructor(context, output, { sounds, buffer, plan, gainOf, fadeIn = false, carriesOn = false }) {
    this.plan = plan;
    this.buffers = new Map(sounds.map((sound) => [sound.id, sound.buffer]));
    this.carriesOn = carriesOn;
    this.when = plan.startFrame / plan.rate;
    this.bus = new Fader(context);
    this.bus.node.connect(output);
    // The first sample of a clip, or of a loop (which has its own fades), needs no help; a cut into the middle does.
    if (fadeIn || plan.offsetFrame > 0) this.bus.rampTo(1, this.when);
    else this.bus.jumpTo(1, this.when);
    this.source = new AudioBufferSourceNode(context, { buffer, loop: plan.loops });
    const splitter = this.source.connect(new ChannelSplitterNode(context, { numberOfOutputs: sounds.length }));
    this.faders = new Map(sounds.map(({ id }, channel) => {
      const fader = new Fader(context);
      fader.jumpTo(gainOf(id), this.when);
      splitter.connect(fader.node, channel).connect(this.bus.node);
      return [id, fader];
    }));
    this.source.onended = () => this.bus.node.disconnect();   // left connected, the context would keep it for ever
    this.source.start(this.when, plan.offsetFrame / plan.rate);
  }

  /**
   * One simultaneous move of all faders: identical sounds add up to themselves at every sample of it.
   *
   * @param {(id: Id) => number} gainOf
   * @param {number} time
   */
  fade(gainOf, time) {
    for (const [id, fader] of this.faders) fader.rampTo(gainOf(id), time);
  }

  /** @param {number} time */
  stop(time) {
    this.bus.rampTo(0, time);
    this.source.stop(Math.max(time, this.when) + RAMP_SECONDS);
  }

  /** @param {number} time */
  endedAt(time) {
    const { rate, startFrame, offsetFrame, frames, loops } = this.plan;
    return !loops && time * rate - startFrame >= frames - offsetFrame;
  }
}

/**
 * Errors: Error with a sentence for the page, where the audio cannot be had or decoded.
 *
 * @param {string} url
 * @param {number} rate Hz
 * @param {AbortSignal} signal
 */
export async function fetchAudio(url, rate, signal) {
  const response = await fetch(url, { signal }).catch(() => null);
  if (!response?.ok) throw new Error('The audio of this track could not be loaded.');
  const bytes = await response.arrayBuffer();
  // Decoding needs no real-time context, which browsers grant only after a gesture.
  return new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes).catch(() => {
    throw new Error('The browser could not decode the audio of this track.');
  });
}
