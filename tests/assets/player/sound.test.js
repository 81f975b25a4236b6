import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fadeEdges, mono, soon, valueOn } from '../../../assets/player/sound.js';

test('a line has its ends before and after, and its middle in between', () => {
  const line = { t0: 1, v0: 0.2, t1: 2, v1: 0.8 };
  assert.deepEqual([0, 1, 1.5, 2, 9].map((time) => valueOn(line, time)), [0.2, 0.2, 0.5, 0.8, 0.8]);
});

test('a jump is a line without length', () => {
  assert.equal(valueOn({ t0: 1, v0: 0.3, t1: 1, v1: 0.3 }, 1), 0.3);
  assert.equal(valueOn({ t0: 1, v0: 0.3, t1: 1, v1: 0.3 }, 0), 0.3);
});

test('two sounds that are switched add up to one at every moment of the ramp', () => {
  const rising = { t0: 1, v0: 0, t1: 1.006, v1: 1 };
  const falling = { t0: 1, v0: 1, t1: 1.006, v1: 0 };
  for (let time = 0.999; time < 1.008; time += 0.0005) {
    assert.ok(Math.abs(valueOn(rising, time) + valueOn(falling, time) - 1) < 1e-12);
  }
});

test('a loop begins and ends in silence, and its middle is untouched', () => {
  const samples = new Float32Array(100).fill(1);
  fadeEdges(samples, 1000);   // 3 ms are three samples
  assert.deepEqual([...samples.slice(0, 4)], [0, Math.fround(1 / 3), Math.fround(2 / 3), 1]);
  assert.deepEqual([...samples].reverse(), [...samples]);
  assert.ok(samples.slice(3, 97).every((sample) => sample === 1));
});

/** The part of Web Audio's AudioBuffer that holds its samples. */
const buffer = (...channels) => ({ numberOfChannels: channels.length,
  getChannelData: (channel) => Float32Array.from(channels[channel]) });

test('a sound of several channels is their mean, cut out and padded with silence', () => {
  assert.deepEqual([...mono(buffer([1, 2, 3, 4]), 1, 2)], [2, 3]);
  assert.deepEqual([...mono(buffer([1, 2, 3, 4], [3, 0, -3, 0]), 0, 4)], [2, 1, 0, 2]);
  assert.deepEqual([...mono(buffer([1, 1], [1, 1]), 1, 3)], [1, 0, 0]);
});

test('the next moment that can be scheduled is a whole sample, at least the lead away', () => {
  const context = { currentTime: 1.00001, sampleRate: 22050 };
  const moment = soon(context, 0.05);
  assert.ok(moment >= 1.05001 && moment < 1.05001 + 1 / 22050);
  assert.ok(Math.abs(moment * 22050 - Math.round(moment * 22050)) < 1e-6);
});
