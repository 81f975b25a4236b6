import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clamp, clock, decibels, signed } from '../../../assets/player/numbers.js';

test('a number is kept between its limits', () => {
  assert.deepEqual([-1, 0.5, 2].map((value) => clamp(value, 0, 1)), [0, 0.5, 1]);
});

test('20 dB are a factor of ten, and levels add where ratios multiply', () => {
  assert.equal(decibels(0), 1);
  assert.equal(decibels(20), 10);
  assert.ok(Math.abs(decibels(-6.0206) - 0.5) < 1e-6);
  assert.ok(Math.abs(decibels(3.5) * decibels(-7) - decibels(-3.5)) < 1e-12);
});

test('a time is written in minutes, seconds and hundredths', () => {
  assert.equal(clock(0), '0:00.00');
  assert.equal(clock(9.876), '0:09.88');
  assert.equal(clock(61.5), '1:01.50');
  assert.equal(clock(59.996), '1:00.00');   // rounded before it is split
  assert.equal(clock(-0.2), '0:00.00');
});

test('a level has a sign, unless it rounds to zero', () => {
  assert.equal(signed(1.25, 1), '+1.3');
  assert.equal(signed(-12.34), '\u221212.3');
  assert.equal(signed(-0.04), '0.0');
  assert.equal(signed(-80, 0), '\u221280');
});
