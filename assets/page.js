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
