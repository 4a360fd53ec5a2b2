/** `/`: gathers the content of the page and sends it. */

import type { RequestHandler } from 'express';
import type { AppDependencies } from '../dependencies.js';
import { allow } from '../security.js';
import { readFilters } from './filters.js';
import type { HistoryOutcome } from './history-reader.js';
import { renderStatusPage } from './page.js';
import { select } from './selection.js';

const NO_HISTORIES: HistoryOutcome = Object.freeze({ kind: 'histories', histories: new Map() });

/** Sends the page, with status 200 also when no pod can be scored: the page says so. */
export function statusPage({ exporter, now }: Pick<AppDependencies, 'exporter' | 'now'>): RequestHandler {
  return async (request, response) => {
    const filters = readFilters(request.query);
    const outcome = await exporter.recentPass();
    const detection = outcome.kind === 'detection' ? outcome.detection : undefined;
    const selection = detection && select(detection, filters);
    const histories =
      detection && selection
        ? await exporter.history(
            detection,
            selection.shown.map(({ row }) => row),
          )
        : NO_HISTORIES;
    const page = renderStatusPage({
      report: exporter.health(),
      outcome,
      selection,
      history: histories,
      filters,
      nowSeconds: now() / 1000,
    });
    allow(response, {
      'script-src': "'self'",
      'style-src': "'self'",
      'connect-src': "'self'",
      'img-src': 'data:',
      'form-action': "'self'",
    });
    response.type('html').send(page.markup);
  };
}
