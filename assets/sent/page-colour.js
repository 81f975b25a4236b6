// The player's rules for dark pages are bound to a class, as on the page of the app; a page without that app sets it here.

const dark = window.matchMedia('(prefers-color-scheme: dark)');

/** From now on the page is light or dark as the system is. */
export function followSystem() {
  const follow = () => document.documentElement.classList.toggle('dark', dark.matches);
  dark.addEventListener('change', follow);
  follow();
}
