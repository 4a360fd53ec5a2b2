/** `/healthz`: the state of the exporter, always with status 200: it is for people and dashboards, not for probes. */

import type { RequestHandler } from 'express';
import type { AppDependencies } from './dependencies.js';

export function healthz({ exporter }: Pick<AppDependencies, 'exporter'>): RequestHandler {
  return (_request, response) => {
    response.json(exporter.health());
  };
}
