/**
 * `/-/healthy` and `/-/ready`, for Kubernetes. Neither looks at Prometheus or the model: to restart or unlink the
 * exporter would help neither, and would hide its own metrics.
 */

import type { RequestHandler } from 'express';

/** Answers a short text, as long as the process answers at all. */
export function probe(state: 'healthy' | 'ready'): RequestHandler {
  return (_request, response) => {
    response.type('text/plain').send(`k8s-anomaly-detector is ${state}.\n`);
  };
}
