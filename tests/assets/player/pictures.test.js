import assert from 'node:assert/strict';
import { test } from 'node:test';

import { emptyRows } from '../../../assets/player/pictures.js';

test('a picture that reaches to half of a linear axis leaves the upper half empty', () => {
  assert.equal(emptyRows({ highest: 11025 }, 'linear', 100, 22050), 50);
  assert.ok(Math.abs(emptyRows({ highest: 11025 }, 'mel', 100, 22050) - 19.07) < 0.05);   // 1 - 3176 / 3924 mel
});

test('a picture that reaches to the top, or does not say how far, leaves nothing empty', () => {
  assert.equal(emptyRows({ highest: 22050 }, 'mel', 100, 22050), 0);
  assert.equal(emptyRows({}, 'mel', 100, 22050), 0);
});
