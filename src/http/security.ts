/** Headers that keep browsers from doing more with an answer than they should. */

import type { RequestHandler, Response } from 'express';

/** For every response: nothing is guessed, loaded, framed, cached or told to other sites. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  });
  allow(response, {});
  next();
};

/** Sets the Content-Security-Policy to nothing but the given sources, by directive: `{ 'img-src': "'self'" }`. */
export function allow(response: Response, sources: Readonly<Record<string, string>>): void {
  const none = "'none'";
  const policy = {
    'default-src': none,
    'base-uri': none,
    'form-action': none,
    'frame-ancestors': none,
    ...sources,
  };
  response.set(
    'Content-Security-Policy',
    Object.entries(policy)
      .map((directive) => directive.join(' '))
      .join('; '),
  );
}
