import { showView } from './table-views.js';

/**
 * The nearest element around what an event happened in.
 *
 * @template {HTMLElement} Found
 * @param {Event} event
 * @param {string} selector
 */
function closest({ target }, selector) {
  return target instanceof Element ? /** @type {Found | null} */ (target.closest(selector)) : null;
}

// Where Gradio's panel of the API was
if (new URLSearchParams(location.search).get('view') === 'api') location.replace('api');

// A button pressed with the pointer gives the keyboard back: Space is for the player, not for Compare once more.
document.addEventListener('click', (event) => {
  if (event.detail > 0) closest(event, 'button')?.blur();
});

// Links to send around show their whole address, whatever this page is served under.
function showAddresses() {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('a.page-absolute'))) {
    if (link.textContent !== link.href) link.textContent = link.href;
  }
}

// <button data-lab-copy="selector"> copies the text of what it names inside the same section.
document.addEventListener('click', async (event) => {
  const button = closest(event, '[data-lab-copy]');
  if (!button) return;
  const text = button.closest('section')?.querySelector(button.dataset.labCopy ?? '')?.textContent ?? '';
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  button.textContent = done ? 'Copied' : 'Select it and copy by hand';
});

// A table that is written anew shows the meanings that were opened in the one before.
const DETAILS = 'details.page-details';
/** @type {Set<string>} */
const opened = new Set();

/** @param {HTMLDetailsElement} details */
const nameOf = (details) => details.querySelector('summary')?.textContent ?? '';

document.addEventListener('toggle', ({ target }) => {
  if (!(target instanceof HTMLDetailsElement) || !target.matches(DETAILS)) return;
  if (target.open) opened.add(nameOf(target));
  else opened.delete(nameOf(target));
}, true);

function openDetails() {
  if (!opened.size) return;
  for (const details of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(`${DETAILS}:not([open])`))) {
    if (opened.has(nameOf(details))) details.open = true;
  }
}

// Gradio names a group of checkboxes or radio buttons beside it, and not as its legend.
function nameGroups() {
  for (const group of document.querySelectorAll('fieldset:not([aria-label]):not(:has(legend))')) {
    const name = group.querySelector('[data-testid=block-info]')?.textContent?.trim();
    if (name) group.setAttribute('aria-label', name);
  }
}

// Gradio's button for more files has the key of a text as its name.
function nameUploads() {
  for (const button of document.querySelectorAll('[aria-label="common.upload"]')) {
    button.setAttribute('aria-label', 'Add files');
    if (button.hasAttribute('title')) button.setAttribute('title', 'Add files');
  }
}

// Gradio tells the step of its skip buttons to 17 digits.
const LONG_STEP = /(\d+\.\d)\d+(?= seconds$)/;

function roundSkips() {
  for (const button of document.querySelectorAll('button[aria-label^="Skip "]')) {
    const label = button.getAttribute('aria-label') ?? '';
    if (LONG_STEP.test(label)) button.setAttribute('aria-label', label.replace(LONG_STEP, '$1'));
  }
}

// Browsers call files by their names: .webm and .mp4 videos, others nothing at all, and Gradio then refuses them as a
// recording. Their content is checked when they are read.
const UPLOAD = '#recording input[type=file]';

/** @param {File} file */
function asSound(file) {
  return file.type.startsWith('audio/') ? file : new File([file], file.name, { type: 'audio/x-recording' });
}

/**
 * @param {HTMLInputElement} input
 * @param {FileList} files
 */
function give(input, files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(asSound(file));
  input.files = transfer.files;
}

document.addEventListener('change', ({ target }) => {
  if (target instanceof HTMLInputElement && target.matches(UPLOAD) && target.files) give(target, target.files);
}, true);

document.addEventListener('drop', (event) => {
  /** @type {HTMLInputElement | null | undefined} */
  const input = closest(event, '#recording')?.querySelector('input[type=file]');
  if (!input || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  event.stopPropagation();
  give(input, event.dataTransfer.files);
  input.dispatchEvent(new Event('change', { bubbles: true }));
}, true);

function acceptAnySound() {
  /** @type {HTMLInputElement | null} */
  const input = document.querySelector(UPLOAD);
  if (input && input.accept !== 'audio/*,video/*') input.accept = 'audio/*,video/*';
}

// Folders, dropped or chosen, reach the app as one zip (folder-zip.js): an upload knows the names of files only.
const TAKES_FOLDERS = '.page-takes-folders';

/** @typedef {import('./folder-zip.js').Entry} Entry */

/**
 * @param {HTMLInputElement} input of Gradio's file field
 * @param {(zip: typeof import('./folder-zip.js')) => Promise<Entry[]>} entriesOf
 * @param {File[]} others files that are given beside the folders, as they are
 */
async function giveFolders(input, entriesOf, others = []) {
  const zip = await import(new URL('gradio_api/file=assets/folder-zip.js', document.baseURI).href);
  const entries = await entriesOf(zip);
  const transfer = new DataTransfer();
  for (const file of others) transfer.items.add(file);
  if (entries.length) transfer.items.add(await zip.folderFile(entries));
  input.files = transfer.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

document.addEventListener('drop', (event) => {
  /** @type {HTMLInputElement | null | undefined} */
  const input = closest(event, TAKES_FOLDERS)?.querySelector('input[type=file]');
  const dropped = [...event.dataTransfer?.items ?? []].map((item) => item.webkitGetAsEntry());
  const folders = dropped.filter((entry) => entry?.isDirectory);
  if (!input || !folders.length) return;
  event.preventDefault();
  event.stopPropagation();
  const others = [...event.dataTransfer?.files ?? []].filter((_, index) => dropped[index]?.isFile);
  void giveFolders(input, (zip) => zip.filesBelow(/** @type {FileSystemEntry[]} */ (folders)), others);
}, true);

// <button data-lab-folders="id of the file field"> asks for a folder.
document.addEventListener('click', (event) => {
  const button = closest(event, '[data-lab-folders]');
  /** @type {HTMLInputElement | null} */
  const input = document.querySelector(`#${button?.dataset.labFolders ?? 'nothing'} input[type=file]`);
  if (!button || !input) return;
  const picker = document.createElement('input');
  picker.type = 'file';
  picker.webkitdirectory = true;
  picker.addEventListener('change', () => {
    const files = [...picker.files ?? []];
    void giveFolders(input, async () => files.map((file) => ({ path: file.webkitRelativePath, file })));
  });
  picker.click();
});

// Tabs stand in the address and in the browser's history: #findings opens that tab, and Back leads to the one before.
const FIRST_TAB = 'compare';
const TABS = '[role=tab][data-tab-id]';
let tabIsOpened = false;   // the one in the address, once

/** Those of the page, and not those inside a tab. */
function outerTabs() {
  const tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(TABS)]);
  return tabs.filter((tab) => !tab.closest('[role=tabpanel]'));
}

function openTab() {
  const wanted = location.hash.slice(1) || FIRST_TAB;
  const tabs = outerTabs();
  const tab = tabs.find(({ dataset }) => dataset.tabId === wanted);
  if (tab?.getAttribute('aria-selected') === 'false') tab.click();
  return tabs.length > 0;
}

/** A tab that a visitor has opened before this script was there. */
function noteTab() {
  const open = outerTabs().find((tab) => tab.getAttribute('aria-selected') === 'true');
  if (open && open.dataset.tabId !== FIRST_TAB) history.pushState(null, '', `#${open.dataset.tabId}`);
  return Boolean(open);
}

function openFirstTab() {
  tabIsOpened ||= location.hash ? openTab() : noteTab();
}

document.addEventListener('click', (event) => {
  /** @type {HTMLElement | null} */
  const tab = closest(event, TABS);
  const id = tab?.dataset.tabId;
  if (!id || !outerTabs().includes(tab) || id === (location.hash.slice(1) || FIRST_TAB)) return;
  history.pushState(null, '', `#${id}`);
}, true);
window.addEventListener('popstate', openTab);

// What Gradio has put into the page since, and what it may put there again.
new MutationObserver(() => {
  for (const mend of [showAddresses, showView, openDetails, nameGroups, nameUploads, roundSkips, acceptAnySound, openFirstTab]) mend();
}).observe(document.documentElement, { childList: true, subtree: true });
