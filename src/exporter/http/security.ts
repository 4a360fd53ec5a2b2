/** Headers that restrict what browsers do with a response. */

import type { RequestHandler, Response } from 'express';

const POLICY = 'Content-Security-Policy';

/**
 * For every response: browsers guess no type, load and frame nothing, cache nothing and send no referrer. Configured
 * headers, by name, replace these; an empty value removes the header.
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
 * Allows the given sources and no others in the Content-Security-Policy, by directive: `{ 'img-src': "'self'" }`. A
 * configured policy stays.
 */
export function allow(response: Response, sources: Readonly<Record<string, string>>): void {
  if (response.locals.hasOwnPolicy) return;
  const restricted = ['default-src', 'base-uri', 'form-action', 'frame-ancestors'];
  const policy = { ...Object.fromEntries(restricted.map((directive) => [directive, "'none'"])), ...sources };
  const directives = Object.entries(policy).map((directive) => directive.join(' '));
  response.set(POLICY, directives.join('; '));
}
