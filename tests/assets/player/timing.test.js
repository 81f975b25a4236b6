import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MIN_LOOP_SECONDS, MIN_SPAN_SECONDS, fitRegion, fitView, joinPoint, positionAt, schedule, zoomed }
  from '../../../assets/player/timing.js';

const RATE = 1000;   // Hz: a sample is a millisecond
const CLIP = 5000;   // samples

test('a run of the whole clip begins where it was asked to', () => {
  const plan = schedule({ rate: RATE, when: 2, position: 1.5, region: null, clipFrames: CLIP });
  assert.deepEqual(plan,
    { rate: RATE, startFrame: 2000, offsetFrame: 1500, firstFrame: 0, frames: CLIP, loops: false });
});

test('a run of a loop begins at the start of the loop when asked for a place outside of it', () => {
  const region = [1, 3];
  const inside = schedule({ rate: RATE, when: 0, position: 2.25, region, clipFrames: CLIP });
  assert.deepEqual([inside.firstFrame, inside.frames, inside.offsetFrame, inside.loops], [1000, 2000, 1250, true]);
  for (const position of [0.999, 3, 4]) {   // the end of a region is not part of it
    assert.equal(schedule({ rate: RATE, when: 0, position, region, clipFrames: CLIP }).offsetFrame, 0);
  }
});

test('the place in the clip follows the clock, and stays at the end', () => {
  const plan = schedule({ rate: RATE, when: 2, position: 1.5, region: null, clipFrames: CLIP });
  assert.equal(positionAt(plan, 0), 1.5);   // not yet begun
  assert.equal(positionAt(plan, 2), 1.5);
  assert.equal(positionAt(plan, 3), 2.5);
  assert.equal(positionAt(plan, 60), 5);
});

test('the place in a loop repeats with its length', () => {
  const plan = schedule({ rate: RATE, when: 0, position: 1.5, region: [1, 3], clipFrames: CLIP });
  assert.equal(positionAt(plan, 1.5), 1);   // one second and a half later: at the seam
  for (const time of [0.25, 1, 7.75]) assert.equal(positionAt(plan, time + 2), positionAt(plan, time));
});

test('a run that takes over goes on with the sample that the old one would play', () => {
  for (const region of [null, [1, 3]]) {
    const plan = schedule({ rate: 22050, when: 0.37, position: 1.1, region, clipFrames: 5 * 22050 });
    const join = joinPoint(plan, 1.2345);
    assert.ok(join.when >= 1.2345 + 0.15 && join.when < 1.2345 + 0.15 + 1 / 22050);
    assert.equal((join.when * 22050) % 1, 0);
    assert.ok(Math.abs(join.position - positionAt(plan, join.when)) < 1e-9);
    const next = schedule({ rate: 22050, when: join.when, position: join.position, region, clipFrames: 5 * 22050 });
    assert.ok(Math.abs(positionAt(next, 2) - positionAt(plan, 2)) < 1e-9);
  }
});

test('a run cannot be taken over before it began, nor after its end', () => {
  const plan = schedule({ rate: RATE, when: 10, position: 0, region: null, clipFrames: CLIP });
  assert.deepEqual(joinPoint(plan, 3), { when: 10, offset: 0, position: 0 });
  assert.equal(joinPoint(plan, 14.85, 0.15), null);
  assert.notEqual(joinPoint(plan, 14.849, 0.15), null);
  const loop = schedule({ rate: RATE, when: 10, position: 1, region: [1, 3], clipFrames: CLIP });
  assert.equal(joinPoint(loop, 99, 0).position, 2);   // 89 s = 44 rounds of 2 s and 1 s
});

test('a loop is put in order, made long enough around its centre, and kept inside the clip', () => {
  assert.deepEqual(fitRegion([3, 1], 5), [1, 3]);
  assert.deepEqual(fitRegion([2, 2], 5), [2 - MIN_LOOP_SECONDS / 2, 2 + MIN_LOOP_SECONDS / 2]);
  assert.deepEqual(fitRegion([0, 0.1], 5), [0, MIN_LOOP_SECONDS]);
  assert.deepEqual(fitRegion([5, 5], 5), [5 - MIN_LOOP_SECONDS, 5]);
  assert.deepEqual(fitRegion([0.1, 0.2], 0.3), [0, 0.3]);   // a clip shorter than the shortest loop
});

test('a view lies inside the clip', () => {
  assert.deepEqual(fitView([-1, 1], 5), [0, 2]);
  assert.deepEqual(fitView([4, 6], 5), [3, 5]);
  assert.deepEqual(fitView([-9, 9], 5), [0, 5]);
  assert.deepEqual(fitView([1, 1], 5), [1, 1 + MIN_SPAN_SECONDS]);
  const once = fitView([2.5, 7], 5);
  assert.deepEqual(fitView(once, 5), once);
});

test('zooming keeps the centre where it is on the screen', () => {
  assert.deepEqual(zoomed([0, 4], 0.5, 1, 8), [0.5, 2.5]);   // 1 s stays a quarter of the way from the left
  assert.deepEqual(zoomed(zoomed([0, 4], 0.5, 1, 8), 2, 1, 8), [0, 4]);
  const [t0, t1] = zoomed([2, 4], 0.001, 3.5, 8);
  assert.ok(Math.abs(t1 - t0 - MIN_SPAN_SECONDS) < 1e-12);
  assert.ok(Math.abs((3.5 - t0) / (t1 - t0) - 0.75) < 1e-12);
});
