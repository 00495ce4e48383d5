// Before the first paint: the remembered theme and language, so that the page never flashes (see src/theme.rs).
(() => {
  const remembered = (name) => {
    try { return localStorage.getItem(name); } catch { return null; }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const html = document.documentElement;
  html.dataset.theme = remembered("weft-theme") ?? (dark ? "dark" : "light");
  html.lang = remembered("weft-language") ?? navigator.language;
})();
