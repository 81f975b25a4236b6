import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Coverage } from '../../../../assets/listening/playback/coverage.js';
import { readKept } from '../../../../assets/listening/playback/kept-trial.js';

const KEPT = { nonce: 'n', heard: [[[0, 1.5]], []], plays: [2, 0], switches: 1, dwell_ms: 900, entered: [40, null], comment: 'a' };

test('what was kept of a trial comes back as it was', () => {
  assert.deepEqual(readKept(JSON.stringify(KEPT), 'n', 2), KEPT);
});

test('nothing is carried into another trial, or into one with other sounds', () => {
  assert.equal(readKept(JSON.stringify(KEPT), 'another', 2), null);
  assert.equal(readKept(JSON.stringify(KEPT), 'n', 3), null);
  for (const text of [null, '', 'null', '{', '[]', '"n"', '{"nonce": "n"}']) assert.equal(readKept(text, 'n', 2), null);
});

test('what is no listening counts as none', () => {
  const heard = [[[0, 1], [2], ['a', 3], [1, null], 5, [3, 1]], 'x'];
  const kept = readKept(JSON.stringify({ nonce: 'n', heard, plays: ['x', -3], switches: null, dwell_ms: {} }), 'n', 2);
  assert.deepEqual(kept, { nonce: 'n', heard: [[[0, 1], [3, 1]], []], plays: [0, 0], switches: 0, dwell_ms: 0,
    entered: null, comment: '' });
  const coverage = new Coverage(2, 4);
  coverage.add(kept.heard.flatMap((intervals, slot) => intervals.map((interval) => [slot, interval])));
  assert.deepEqual(coverage.slots, [[[0, 1]], []]);
});

test('no part outside the clip is booked', () => {
  const coverage = new Coverage(1, 2);
  coverage.add([[0, [-5, 0.5]], [0, [1.5, 9]], [0, [3, 5]], [0, [-3, -1]]]);
  assert.deepEqual(coverage.slots[0], [[0, 0.5], [1.5, 2]]);
});
