/** `/detect`: the judgement on all pods as JSON. */

import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from 'express';
import type { AppDependencies } from './dependencies.js';
import { detectAnswer } from './detect-answer.js';
import { parseDetectQuery } from './detect-query.js';
import { sendError } from './errors.js';
import { scrapeTimeoutSeconds } from './scrape-timeout.js';

/** The kind of a pass that failed is also an error code. */
export function detect({ exporter }: Pick<AppDependencies, 'exporter'>): RequestHandler {
  return async (request, response) => {
    const query = parseDetectQuery(request.query);
    if ('mistakes' in query) return sendError(response, 'bad_request', query.mistakes);
    const outcome = await exporter.detect(scrapeTimeoutSeconds(request));
    if (outcome.kind !== 'detection') return sendError(response, outcome.kind, outcome.message);
    response.type('json');
    if (request.method === 'HEAD') return void response.end();
    try {
      await pipeline(detectAnswer(outcome.detection, query.filters), response);
    } catch (error) {
      // The client has left: nobody is there to answer, and nothing went wrong here.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
  };
}
