import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clock, moved, outline, shifted } from '../../assets/passage.js';

const PASSAGE = { file: 'a', seconds: 60, peaks: [], start: 10, end: 30, shortest: 5, longest: 30 };
const ends = ({ start, end }) => [start, end].map((time) => Number(time.toFixed(6)));

test('a time is written with a tenth only where it has one', () => {
  assert.deepEqual([0, 7.25, 9.96, 59.96, 61.5].map(clock), ['0:00', '0:07.3', '0:10', '1:00', '1:01.5']);
});

test('one end moves alone as long as the passage is neither too short nor too long', () => {
  assert.deepEqual(ends(moved(PASSAGE, 'start', 12.34)), [12.3, 30]);   // in steps of 0.1 s
  assert.deepEqual(ends(moved(PASSAGE, 'end', 40)), [10, 40]);
});

test('the other end follows where the passage would become too short or too long', () => {
  assert.deepEqual(ends(moved(PASSAGE, 'start', 28)), [28, 33]);
  assert.deepEqual(ends(moved(PASSAGE, 'start', 55)), [55, 60]);
  assert.deepEqual(ends(moved(PASSAGE, 'end', 12)), [7, 12]);
  assert.deepEqual(ends(moved(PASSAGE, 'end', 55)), [25, 55]);
  assert.deepEqual(ends(moved({ ...PASSAGE, start: 40, end: 50 }, 'start', 0)), [0, 30]);
});

test('neither end leaves the recording', () => {
  assert.deepEqual(ends(moved(PASSAGE, 'start', -5)), [0, 30]);
  assert.deepEqual(ends(moved(PASSAGE, 'start', 99)), [55, 60]);
  assert.deepEqual(ends(moved(PASSAGE, 'end', 99)), [30, 60]);
  assert.deepEqual(ends(moved(PASSAGE, 'end', -5)), [0, 5]);
});

test('every passage that can be chosen is inside the recording and as long as it may be', () => {
  for (const end of ['start', 'end']) {
    for (let time = -10; time <= 70; time += 0.7) {
      const { start, end: stop } = moved(PASSAGE, end, time);
      assert.ok(start >= 0 && stop <= 60 + 1e-9);
      assert.ok(stop - start >= 5 - 1e-9 && stop - start <= 30 + 1e-9, `${end} at ${time}`);
    }
  }
});

test('a passage that is moved keeps its length', () => {
  assert.deepEqual(ends(shifted(PASSAGE, 20)), [20, 40]);
  assert.deepEqual(ends(shifted(PASSAGE, -3)), [0, 20]);
  assert.deepEqual(ends(shifted(PASSAGE, 55)), [40, 60]);
  assert.deepEqual(PASSAGE.start, 10);   // the value that was given is another one
});

test('the outline is mirrored, and the loudest peak fills the box', () => {
  assert.equal(outline([0.5, 0.25]), 'M0.2500 -1.000L0.7500 -0.500L0.7500 0.500L0.2500 1.000Z');
  assert.equal(outline([0]), 'M0.5000 -0.010L0.5000 0.010Z');   // silence is a thin line
});
