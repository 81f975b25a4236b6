import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Coverage, heard, played, shownSeconds, total, union } from '../../../../assets/listening/playback/coverage.js';

const CLIP = { rate: 1000, startFrame: 2000, offsetFrame: 0, firstFrame: 0, frames: 4000, loops: false };
const LOOP = { rate: 1000, startFrame: 0, offsetFrame: 500, firstFrame: 1000, frames: 2000, loops: true };   // 1 to 3 s

test('intervals that overlap or touch are joined, whatever their order', () => {
  assert.deepEqual(union([[3, 4], [0, 1], [1, 2], [3.5, 3.75]]), [[0, 2], [3, 4]]);
  assert.deepEqual(union([]), []);
  assert.equal(total([[0, 2], [1, 3], [5, 6]]), 4);
});

test('the intervals that are joined stay as they were', () => {
  const intervals = [[1, 2], [0, 1.5]];
  union(intervals);
  assert.deepEqual(intervals, [[1, 2], [0, 1.5]]);
});

test('a clip is heard from when it began, and no further than its end', () => {
  assert.deepEqual(played(CLIP, 0, 2), []);
  assert.deepEqual(played(CLIP, 1, 3), [[0, 1]]);
  assert.deepEqual(played(CLIP, 3, 9), [[1, 4]]);
  assert.deepEqual(played(CLIP, 7, 9), []);
});

test('a loop is heard across its seam, and after one round as a whole', () => {
  assert.deepEqual(played(LOOP, 0, 1), [[1.5, 2.5]]);
  assert.deepEqual(played(LOOP, 1, 2), [[2.5, 3], [1, 1.5]]);
  assert.deepEqual(played(LOOP, 0.25, 2.25), [[1, 3]]);
  assert.equal(total(played(LOOP, 10.1, 11.35)), 1.25);   // less than a round: as much as time has passed
});

test('what two looks see is what one look would have seen', () => {
  for (const plan of [CLIP, LOOP]) {
    const parts = union([...played(plan, 2, 2.7), ...played(plan, 2.7, 3.4)]);
    assert.deepEqual(parts.map((part) => part.map((time) => time.toFixed(9))),
      union(played(plan, 2, 3.4)).map((part) => part.map((time) => time.toFixed(9))));
  }
});

test('each slot is heard for as long as it was its turn', () => {
  const turns = [[0, 0], [3, 2], [4.5, 0]];
  assert.deepEqual(heard(CLIP, turns, 2, 5), [[0, [0, 1]], [2, [1, 2.5]], [0, [2.5, 3]]]);
  assert.deepEqual(heard(CLIP, turns, 3.5, 4), [[2, [1.5, 2]]]);
});

test('what has been heard twice counts once, in whole milliseconds that leave nothing out', () => {
  const coverage = new Coverage(2, 4);
  coverage.add([[0, [0, 1]], [0, [0.5, 1.5]], [1, [0.10049, 0.20051]]]);
  assert.equal(coverage.of(0), 1.5);
  assert.deepEqual(coverage.slots[1], [[0.1, 0.201]]);
});

test('no more can be missing than the clip is long', () => {
  const coverage = new Coverage(1, 2.0004);
  assert.equal(coverage.missing(0, 1.5), 1.5);
  assert.equal(coverage.missing(0, 60), 2.0004);
  coverage.add([[0, [0, 2.0004]]]);
  assert.deepEqual(coverage.slots[0], [[0, 2.0004]]);   // not rounded beyond the end
  assert.equal(coverage.missing(0, 60), 0);
});

test('what is still to be heard is shown in tenths, and as 0 only when it is nothing', () => {
  assert.deepEqual([0.6, 1.3, 2, 0.31, 0.000002, 0].map(shownSeconds), [0.6, 1.3, 2, 0.4, 0.1, 0]);
});
