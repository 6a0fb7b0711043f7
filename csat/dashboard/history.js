// Every view is one address: a click adds one entry to the browser's history, and Back shows that view again.
// Streamlit replaces the address at a filter, and does not read the filters in it at Back.
(() => {
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  const view = () => location.pathname + location.search;
  let hasActed = false; // Streamlit also corrects an address that it was opened with: that is no entry
  let shown = view();
  for (const kind of ["click", "keydown"]) {
    addEventListener(kind, () => { hasActed = true; }, true);
  }
  history.pushState = history.replaceState = (state, title, url) => {
    const isAnother = url != null && new URL(url, location.href).href !== location.href;
    (isAnother && hasActed ? push : replace)(state, title, url);
    if (isAnother) hasActed = false;
    shown = view();
  };
  addEventListener("popstate", (event) => {
    if (view() === shown) return; // a link to a heading of the same view
    event.stopImmediatePropagation();
    location.reload();
  }, true);
})();
