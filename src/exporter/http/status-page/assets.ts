/** The files of the page. Their addresses change with their content, so browsers may cache them. */

import { createHash } from 'node:crypto';
import { type Request, Router } from 'express';
import { fixed } from '../packed.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

function asset(path: string, contentType: string, text: string) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { path, contentType, text, hash, url: `${path}?v=${hash}` };
}

/** The address of each (`url`) is relative to the page. */
export const ASSETS = {
  style: asset('status-page.css', 'text/css; charset=utf-8', STYLE),
  script: asset('status-page.js', 'text/javascript; charset=utf-8', SCRIPT),
};

const YEAR_SECONDS = 365 * 86400;

/** Serves the files. An address of another version gets the current file, which is not cached. */
export function statusPageAssets(): Router {
  const router = Router();
  for (const { path, contentType, text, hash } of Object.values(ASSETS)) {
    // Private: behind a log-in, shared caches must not keep it.
    const current = `private, max-age=${YEAR_SECONDS}, immutable`;
    const cacheControl = (request: Request) => (request.query.v === hash ? current : 'no-cache');
    router.get(
      `/${path}`,
      fixed(contentType, () => text, cacheControl),
    );
  }
  return router;
}
