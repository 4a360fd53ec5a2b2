/** The script of the page: fetches the page again and replaces what has changed. */

const REFRESH_SECONDS = 20;

/**
 * Plain JavaScript for browsers of the last years. The form stays as it is, so what is being typed is kept. What is
 * unfolded stays unfolded. If the focus is on a link of the part that is replaced, it returns to the link with the same target.
 * If that link is gone, because its pod is no longer shown, the focus moves to the heading of its section, where Tab goes on with the first link below: on
 * a link of another pod, Enter would follow a link that nobody chose.
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
      refreshed.textContent = 'Not updated: the exporter did not respond (' + error.message + ').';
      refreshed.classList.add('problem');
    }
    loading = false;
    later();
  }

  function show(page) {
    const live = document.getElementById('live');
    const next = page.getElementById('live');
    if (!next) throw new Error('not the status page');
    const summary = document.getElementById('summary');
    // What is folded away takes no focus.
    const isShown = (stop) => stop.matches('summary') || !stop.closest('details:not([open])');
    const stops = () => [...live.querySelectorAll('a, summary')].filter(isShown);
    const targetOf = (stop) => stop?.getAttribute('href') ?? stop?.parentElement.id;
    const focused = live.contains(document.activeElement) ? document.activeElement : null;
    const position = stops().indexOf(focused);
    const target = targetOf(focused);
    const opened = new Map([...live.querySelectorAll('details')].map(({ id, open }) => [id, open]));
    const section = focused?.closest('section');
    const top = window.scrollY;
    live.replaceChildren(...next.childNodes);
    for (const details of live.querySelectorAll('details')) details.open = opened.get(details.id) ?? details.open;
    if (focused) {
      const same = (stop) => target && targetOf(stop) === target;
      const stop = same(stops()[position]) ? stops()[position] : stops().find(same);
      const heading = section && document.getElementById(section.getAttribute('aria-labelledby'));
      const place = stop || heading || summary;
      if (!stop) place.tabIndex = -1;
      place.focus({ preventScroll: true });
    }
    if (window.scrollY !== top) window.scrollTo({ top, behavior: 'instant' });
    for (const id of ['namespaces', 'workloads']) {
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    // Read out when it changes, and only then.
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
