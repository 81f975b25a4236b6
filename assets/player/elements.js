// The pieces the page is built from: elements, icons, buttons.

/** @typedef {{[Name in keyof HTMLElementEventMap as `on${Name}`]?: (event: HTMLElementEventMap[Name]) => void}} Handlers */
/** @typedef {Node | string | false | null | undefined} Child */

/**
 * Element builder: `text`, `onclick`-like handlers and attributes in one object; falsy children are skipped.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {Handlers & {text?: string} & Record<string, unknown>} options
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, className, options = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(options)) {
    if (name === 'text') node.textContent = String(value);
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else node.setAttribute(name, String(value));
  }
  node.append(...children.flatMap((child) => child || []));
  return node;
}

/**
 * Writes only what changed: progress arrives many times a second, and a screen reader announces every rewrite.
 *
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {unknown} value
 */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

const ICONS = {
  play: 'M8 5.2v13.6L19 12z',
  pause: 'M7 5h3.6v14H7zM13.4 5H17v14h-3.6z',
  start: 'M6 6h2.2v12H6zM18 6v12l-8.6-6z',
  loop: 'M7 7h9V4.2L20.4 8 16 11.8V9H9v4H7zM17 17H8v2.8L3.6 16 8 12.2V15h7v-4h2z',
  clear: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z',
  out: 'M5 11h14v2H5z',
  in: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  fit: 'M3 5h2v14H3zM19 5h2v14h-2zM6.5 12l4-3.6V11h3V8.4l4 3.6-4 3.6V13h-3v2.6z',
  volume: 'M4 9v6h4l5 4.2V4.8L8 9zM15.6 8.3v7.4a4 4 0 0 0 0-7.4zM15.6 4.6v2a6 6 0 0 1 0 10.8v2a8 8 0 0 0 0-14.8z',
  download: 'M11 4h2v8.2l3.1-3.1 1.4 1.4L12 16l-5.5-5.5 1.4-1.4 3.1 3.1zM5 18h14v2H5z',
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  return drawing(ICONS[name]);
}

/**
 * An icon of one path in a box of its own.
 *
 * @param {string} path
 */
export function drawing(path, viewBox = '0 0 24 24') {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', viewBox);
  svg.setAttribute('class', 'lab-icon');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(namespace, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/**
 * @param {keyof typeof ICONS} name
 * @param {string} label
 * @param {() => void} onclick
 */
export function iconButton(name, label, onclick, className = 'lab-tool') {
  return el('button', className, { type: 'button', 'aria-label': label, title: label, onclick }, icon(name));
}

/**
 * A row of buttons of which one is pressed.
 *
 * @template {string} Value
 * @param {string} label
 * @param {Record<Value, string>} options texts
 * @param {(value: Value) => void} onchange
 */
export function segmented(label, options, onchange) {
  const buttons = /** @type {[Value, string][]} */ (Object.entries(options)).map(([value, text]) =>
    el('button', 'lab-segment', { type: 'button', text, 'data-value': value, onclick: () => onchange(value) }));
  const root = el('div', 'lab-segmented', { role: 'group', 'aria-label': label }, ...buttons);
  /** @type {(value: Value) => void} */
  const set = (value) => buttons.forEach((b) => setAttribute(b, 'aria-pressed', b.dataset.value === value));
  return { root, set };
}
