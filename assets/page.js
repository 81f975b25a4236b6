// Links in tables that point at a take of the player: <button data-lab-track="id">.
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-lab-track]');
  if (!link) return;
  window.dispatchEvent(new CustomEvent('lab-player-command', {
    detail: { track: link.dataset.labTrack, play: true, scroll: true },
  }));
});

// A button pressed with the pointer gives the keyboard back: Space is for the player, not for Compare once more.
document.addEventListener('click', (event) => {
  if (event.detail > 0) event.target.closest('button')?.blur();
});
