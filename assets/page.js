// Links in tables that point at a take of the player: <button data-lab-track="id">.
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-lab-track]');
  if (!link) return;
  window.dispatchEvent(new CustomEvent('lab-player-command', {
    detail: { track: link.dataset.labTrack, play: true, scroll: true },
  }));
});
