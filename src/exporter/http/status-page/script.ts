/** What the page runs in the browser: it fetches itself again and replaces what has changed. */

/** Seconds from one refresh to the next. */
const REFRESH_SECONDS = 20;

/**
 * Plain JavaScript for browsers of the last years. The form stays as it is, so what is being typed is kept; where the
 * focus is on a link of the part that is replaced, it returns to the link with the same target.
 */
export const SCRIPT = `'use strict';
(() => {
  const PERIOD = ${REFRESH_SECONDS} * 1000;
  const pause = document.getElementById('pause');
  const refresh = document.getElementById('refresh');
  const refreshed = document.getElementById('refreshed');
  let timer;
  let loading = false;
  let paused = false;

  const later = () => {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(load, PERIOD);
  };

  async function load(forced) {
    const selection = document.getSelection();
    // Text that is being selected would be lost.
    const selecting = selection && !selection.isCollapsed && document.getElementById('live').contains(selection.anchorNode);
    if (loading || (selecting && forced !== true)) return later();
    loading = true;
    try {
      const response = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(PERIOD) });
      if (!response.ok) throw new Error('status ' + response.status);
      show(new DOMParser().parseFromString(await response.text(), 'text/html'));
      refreshed.textContent = 'Updated ' + new Date(response.headers.get('date')).toLocaleTimeString();
      refreshed.classList.remove('problem');
    } catch (error) {
      refreshed.textContent = 'Not updated: the exporter gave no answer (' + error.message + ').';
      refreshed.classList.add('problem');
    }
    loading = false;
    later();
  }

  function show(page) {
    const live = document.getElementById('live');
    const next = page.getElementById('live');
    if (!next) throw new Error('not the status page');
    const links = (root) => [...root.querySelectorAll('a')];
    const focused = links(live).indexOf(document.activeElement);
    const target = focused < 0 ? null : document.activeElement.getAttribute('href');
    const top = window.scrollY;
    live.replaceChildren(...next.childNodes);
    if (target !== null) {
      const candidates = links(live);
      const same = (link) => link && link.getAttribute('href') === target;
      const again = same(candidates[focused]) ? candidates[focused] : candidates.find(same);
      if (again) again.focus({ preventScroll: true });
    }
    if (window.scrollY !== top) window.scrollTo({ top, behavior: 'instant' });
    for (const id of ['namespaces', 'workloads']) {
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    // Read out when it changes, and only then.
    const summary = document.getElementById('summary');
    const words = page.getElementById('summary');
    if (summary.textContent !== words.textContent) summary.replaceChildren(...words.childNodes);
    document.title = page.title;
  }

  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    if (!paused) load(true);
    else later();
  });
  refresh.addEventListener('click', (event) => {
    event.preventDefault();
    load(true);
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || paused) later();
    else load();
  });
  later();
})();
`;
