// Links in tables that point at a take of the player: <button data-lab-track="id" data-lab-loop="start stop">.
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-lab-track]');
  if (!link) return;
  const loop = link.dataset.labLoop?.split(' ').map(Number);
  window.dispatchEvent(new CustomEvent('lab-player-command', {
    detail: { track: link.dataset.labTrack, loop, play: true, scroll: true },
  }));
});

// A button pressed with the pointer gives the keyboard back: Space is for the player, not for Compare once more.
document.addEventListener('click', (event) => {
  if (event.detail > 0) event.target.closest('button')?.blur();
});

// Links to send around show their whole address, whatever this page is served under.
new MutationObserver(() => {
  for (const link of document.querySelectorAll('a.page-absolute')) {
    if (link.textContent !== link.href) link.textContent = link.href;
  }
}).observe(document.documentElement, { childList: true, subtree: true });

// <button data-lab-copy="selector"> copies the text of what it names inside the same section.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-lab-copy]');
  if (!button) return;
  const text = button.closest('section').querySelector(button.dataset.labCopy).textContent;
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  button.textContent = done ? 'Copied' : 'Select it and copy by hand';
});

// Browsers call files by their names: .webm and .mp4 videos, others nothing at all, and Gradio then refuses them as a
// recording. What is in them is found out when they are read.
const recording = '#recording';

function asSound(file) {
  return file.type.startsWith('audio/') ? file : new File([file], file.name, { type: 'audio/x-recording' });
}

function give(input, files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(asSound(file));
  input.files = transfer.files;
}

document.addEventListener('change', ({ target }) => {
  if (target.matches?.(`${recording} input[type=file]`)) give(target, target.files);
}, true);

document.addEventListener('drop', (event) => {
  const input = event.target.closest?.(recording)?.querySelector('input[type=file]');
  if (!input || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  event.stopPropagation();
  give(input, event.dataTransfer.files);
  input.dispatchEvent(new Event('change', { bubbles: true }));
}, true);

new MutationObserver(() => {
  const input = document.querySelector(`${recording} input[type=file]`);
  if (input && input.accept !== 'audio/*,video/*') input.accept = 'audio/*,video/*';
}).observe(document.documentElement, { childList: true, subtree: true });
