// Pictures: spectrograms and difference maps as Python draws them, warped onto the wanted frequency axis.

import { frequencyAt, partAt } from './axes.js';

/** @import { Axis } from './interfaces.js' */
/**
 * @typedef {object} Picture
 * @property {HTMLImageElement} image a column per frame, a row per STFT bin
 * @property {string} url
 * @property {number} [highest] Hz of its uppermost row; without it, that of the axis
 * @property {string} key of `warped`
 * @property {HTMLCanvasElement | null} warped `image` on the axis that was asked for last
 */

/**
 * @param {string} url
 * @param {number} [highest] Hz of its uppermost row
 * @returns {Promise<Picture>}
 */
export async function fetchPicture(url, highest) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { image, url, highest, key: '', warped: null };
}

/**
 * The picture at `rows` rows on the wanted frequency axis, cached. Row centres carry the frequencies: the first is
 * the highest, the last 0 Hz; above the picture's own highest frequency the rows are empty. Rows shrink here, smoothly;
 * columns are left for the zoom, which may want them crisp.
 *
 * @param {Picture} picture
 * @param {Axis} axis
 * @param {number} rows
 * @param {number} highest Hz
 */
export function onAxis(picture, axis, rows, highest) {
  const key = `${axis} ${rows} ${highest}`;
  if (picture.warped && picture.key === key) return picture.warped;
  const { image } = picture;
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = Object.assign(document.createElement('canvas'), { width, height: rows });
  const pen = penOf(canvas);
  pen.imageSmoothingQuality = 'high';
  const own = picture.highest ?? highest;
  const empty = emptyRows(picture, axis, rows, highest);
  /** @type {(y: number) => number} */
  const sourceRow = (y) => 0.5 + (height - 1) * (1 - frequencyAt(1 - y / rows, axis, highest) / own);
  if (axis === 'linear') pen.drawImage(image, 0, 0.5, width, height - 1, 0, empty, width, rows - empty);
  else {
    for (let y = Math.ceil(empty); y < rows; y += 1) {
      const top = sourceRow(y);
      pen.drawImage(image, 0, top, width, sourceRow(y + 1) - top, 0, y, width, 1);
    }
  }
  Object.assign(picture, { key, warped: canvas });
  return canvas;
}

/**
 * How many of the rows lie above the picture's own highest frequency; a fraction.
 *
 * @param {Picture} picture
 * @param {Axis} axis
 * @param {number} rows
 * @param {number} highest Hz
 */
export function emptyRows({ highest: own = Infinity }, axis, rows, highest) {
  return own < highest ? rows * (1 - partAt(own, axis, highest)) : 0;
}

/** @param {HTMLCanvasElement} canvas */
export function penOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));   // null only for a canvas in WebGL
}
