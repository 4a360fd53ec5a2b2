/** `/detect`: the judgement on all pods as JSON. */

import type { RequestHandler } from 'express';
import type { AppDependencies } from './dependencies.js';
import { parseDetectQuery } from './detect-query.js';
import { toDetectResponse } from './detect-response.js';
import { sendError } from './errors.js';
import { scrapeOptions } from './scrape-timeout.js';

/** A pass that came to nothing has a kind that is also an error code. */
export function detect(dependencies: Pick<AppDependencies, 'detect'>): RequestHandler {
  return async (request, response) => {
    const query = parseDetectQuery(request.query);
    if ('mistakes' in query) return sendError(response, 'bad_request', query.mistakes);
    const outcome = await dependencies.detect(scrapeOptions(request));
    if (outcome.kind !== 'detection') return sendError(response, outcome.kind, outcome.message);
    response.json(toDetectResponse(outcome.detection, query.filters));
  };
}
