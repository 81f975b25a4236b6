// Pictures: spectrograms and difference maps as Python draws them, warped onto the wanted frequency axis.

import { frequencyAt } from './axes.js';

export async function fetchPicture(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { image, url, key: '', warped: null };
}

/**
 * The picture at `rows` rows on the wanted frequency axis, cached. Row centres carry the frequencies: the first is
 * the highest, the last 0 Hz. Rows shrink here, smoothly; columns are left for the zoom, which may want them crisp.
 */
export function onAxis(picture, axis, rows, highest) {
  const key = `${axis} ${rows}`;
  if (picture.key === key) return picture.warped;
  const { image } = picture;
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = Object.assign(document.createElement('canvas'), { width, height: rows });
  const pen = canvas.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  const sourceRow = (y) => 0.5 + (height - 1) * (1 - frequencyAt(1 - y / rows, axis, highest) / highest);
  if (axis === 'linear') pen.drawImage(image, 0, 0.5, width, height - 1, 0, 0, width, rows);
  else {
    for (let y = 0; y < rows; y += 1) {
      const top = sourceRow(y);
      pen.drawImage(image, 0, top, width, sourceRow(y + 1) - top, 0, y, width, 1);
    }
  }
  return Object.assign(picture, { key, warped: canvas }).warped;
}
