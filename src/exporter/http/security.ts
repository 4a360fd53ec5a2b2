/** Headers that keep browsers from doing more with an answer than they should. */

import type { RequestHandler, Response } from 'express';

const POLICY = 'Content-Security-Policy';

/**
 * For every response: nothing is guessed, loaded, framed, cached or told to other sites.
 *
 * @param configured headers by name that an administrator wants instead; an empty value takes the header away.
 */
export function securityHeaders(configured: () => ReadonlyMap<string, string>): RequestHandler {
  return (_request, response, next) => {
    response.set({
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    });
    allow(response, {});
    for (const [name, value] of configured()) {
      if (value === '') response.removeHeader(name);
      else response.setHeader(name, value);
      if (name === POLICY) response.locals.hasOwnPolicy = true;
    }
    next();
  };
}

/**
 * Sets the Content-Security-Policy to nothing but the given sources, by directive: `{ 'img-src': "'self'" }`. One that
 * was configured stays.
 */
export function allow(response: Response, sources: Readonly<Record<string, string>>): void {
  if (response.locals.hasOwnPolicy) return;
  const none = "'none'";
  const policy = {
    'default-src': none,
    'base-uri': none,
    'form-action': none,
    'frame-ancestors': none,
    ...sources,
  };
  response.set(
    POLICY,
    Object.entries(policy)
      .map((directive) => directive.join(' '))
      .join('; '),
  );
}
