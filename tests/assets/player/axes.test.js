import assert from 'node:assert/strict';
import { test } from 'node:test';

import { frequencyAt, frequencyTicks, partAt, timeStep, timeTicks } from '../../../assets/player/axes.js';

test('both axes reach from 0 Hz to the top', () => {
  for (const axis of ['mel', 'linear']) {
    assert.equal(frequencyAt(0, axis, 8000), 0);
    assert.ok(Math.abs(frequencyAt(1, axis, 8000) - 8000) < 1e-9);
  }
  assert.equal(frequencyAt(0.25, 'linear', 8000), 2000);
});

test('the mel axis is HTK: 1000 Hz lie at 999.99 of 2840.02 mel', () => {
  assert.ok(Math.abs(frequencyAt(999.9855 / 2840.0230, 'mel', 8000) - 1000) < 0.01);
});

test('labels of frequencies lie where the axis has these frequencies, and do not touch', () => {
  for (const axis of ['mel', 'linear']) {
    for (const height of [40, 90, 300]) {
      const ticks = frequencyTicks(axis, 11025, height);
      for (const { hz, y } of ticks) assert.ok(Math.abs(frequencyAt(1 - y / height, axis, 11025) - hz) < 1e-6);
      const places = ticks.map(({ y }) => y).sort((a, b) => a - b);
      for (let i = 1; i < places.length; i += 1) assert.ok(places[i] - places[i - 1] > 17);
    }
  }
  assert.deepEqual(frequencyTicks('linear', 8000, 200), [{ hz: 4000, y: 100 }, { hz: 2000, y: 150 }, { hz: 6000, y: 50 }]);
});

test('where a frequency is on the axis is the inverse of what is there', () => {
  for (const axis of ['mel', 'linear']) {
    for (const hz of [0, 300, 11025, 22050]) assert.ok(Math.abs(frequencyAt(partAt(hz, axis, 22050), axis, 22050) - hz) < 1e-6);
  }
});

test('an axis to 22 kHz has labels above 11 kHz, and one to 11 kHz has those it had', () => {
  assert.deepEqual(frequencyTicks('linear', 22050, 110).map(({ hz }) => hz), [4000, 8000, 16000, 12000, 20000]);
  assert.deepEqual(frequencyTicks('linear', 11025, 110).map(({ hz }) => hz), [4000, 8000, 2000, 6000, 10000]);
  assert.deepEqual(frequencyTicks('mel', 11025, 110).map(({ hz }) => hz), [4000, 1000, 2000, 8000, 250]);
});

test('a time step is 1, 2 or 5 times a power of ten, and leaves room for labels', () => {
  assert.deepEqual(timeStep(10, 760), { step: 1, parts: 5 });      // 76 px a second
  assert.deepEqual(timeStep(10, 750), { step: 2, parts: 4 });
  assert.deepEqual(timeStep(10, 300), { step: 5, parts: 5 });
  assert.ok(Math.abs(timeStep(0.1, 1000).step - 0.01) < 1e-12);
  for (const span of [0.1, 0.7, 3, 29, 118]) {
    for (const width of [320, 900, 1600]) {
      assert.ok((timeStep(span, width).step / span) * width >= 76 * 0.998);
    }
  }
});

test('a ruler has its unit on the first label, and no label that its end would cut', () => {
  const ticks = timeTicks([0, 10], 760);
  assert.equal(ticks.length, 51);   // a fifth of a second apart, both ends included
  assert.deepEqual(ticks.filter(({ major }) => major).map(({ text }) => text),
    ['0 s', '1', '2', '3', '4', '5', '6', '7', '8', '9', '']);
  assert.ok(ticks.every(({ x, major }, index) => Math.abs(x - index * 15.2) < 1e-9 && major === (index % 5 === 0)));
});

test('a ruler that begins between two ticks begins with the next one', () => {
  const [first] = timeTicks([2.55, 3.05], 760);   // a tick is 0.01 s
  assert.ok(Math.abs(first.x) < 1e-6);
  assert.equal(timeTicks([2.552, 3.052], 760)[0].x.toFixed(3), ((0.008 / 0.5) * 760).toFixed(3));
  assert.deepEqual(timeTicks([2.55, 3.05], 760).filter(({ text }) => text)[0].text, '2.55 s');
});
