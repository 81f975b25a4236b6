// <button data-lab-view="name"> chooses the columns of all metric tables. The choice is kept outside them, as every new output
// makes a new table.

const root = document.documentElement;
root.dataset.labColumns ??= 'overview';

/** Of all tables that are there; tables that come later need it again. */
export function showView() {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-lab-view]'))) {
    const pressed = String(button.dataset.labView === root.dataset.labColumns);
    if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed);
  }
  for (const cell of document.querySelectorAll('.page-table-views [data-views]')) {
    const views = (cell.getAttribute('data-views') ?? '').split(' ');
    const hidden = root.dataset.labColumns !== 'all' && !views.includes(root.dataset.labColumns ?? '');
    cell.toggleAttribute('hidden', hidden);
  }
}

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-lab-view]') : null;
  if (!(button instanceof HTMLElement)) return;
  root.dataset.labColumns = button.dataset.labView;
  showView();
});
