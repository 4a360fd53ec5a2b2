/** The files of the page. Their addresses change with their content, so browsers may cache them. */

import { createHash } from 'node:crypto';
import { Router } from 'express';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

interface Asset {
  /** Relative to the page. */
  readonly path: string;
  readonly contentType: string;
  readonly text: string;
  readonly hash: string;
}

function asset(path: string, contentType: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { path, contentType, text, hash };
}

const STYLE_ASSET = asset('status-page.css', 'text/css; charset=utf-8', STYLE);
const SCRIPT_ASSET = asset('status-page.js', 'text/javascript; charset=utf-8', SCRIPT);

const urlOf = ({ path, hash }: Asset) => `${path}?v=${hash}`;

/** Address of the style sheet, relative to the page. */
export const STYLE_URL = urlOf(STYLE_ASSET);

/** Address of the script, relative to the page. */
export const SCRIPT_URL = urlOf(SCRIPT_ASSET);

const YEAR_SECONDS = 365 * 86400;

/** Serves the files. An address of another version gets the current file, which is not cached. */
export function statusPageAssets(): Router {
  const router = Router();
  for (const { path, contentType, text, hash } of [STYLE_ASSET, SCRIPT_ASSET]) {
    router.get(`/${path}`, (request, response) => {
      const isCurrent = request.query.v === hash;
      response.set({
        // Private: behind a log-in, shared caches must not keep it.
        'Cache-Control': isCurrent ? `private, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
        ETag: `"${hash}"`,
      });
      response.type(contentType).send(text);
    });
  }
  return router;
}
