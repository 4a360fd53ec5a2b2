/** `/docs`: Swagger UI, from the files of its npm package. Nothing comes from another server. */

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RequestHandler, Router } from 'express';
import { html } from '../../lib/text/html.js';
import { fixed } from './packed.js';
import { allow } from './security.js';

/** Not imported: the package's main module would load the whole of Swagger UI into this process. */
const packageFolder = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));

/** All URLs are relative to `/docs`, without a slash at the end, so that they hold behind a path prefix as well. */
const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>k8s-anomaly-detector: API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<noscript>Swagger UI needs JavaScript. The document that it shows is <a href="openapi.json">openapi.json</a>.</noscript>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/initializer.js"></script>
</body>
</html>
`;

/** `validatorUrl` is off because it would tell a public server about this one. */
const initializer = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
});
`;

const sendPage = fixed('text/html; charset=utf-8', () => page.markup);

export const docs: RequestHandler = (request, response, next) => {
  if (request.path.endsWith('/')) return response.redirect(301, '../docs');
  const self = "'self'";
  allow(response, { 'script-src': self, 'style-src': self, 'img-src': `${self} data:`, 'connect-src': self });
  return sendPage(request, response, next);
};

/** What the page loads: these files of the package and no others, each read when it is asked for the first time. */
export function docsAssets(): Router {
  const router = Router();
  const cacheControl = () => 'max-age=3600';
  router.get(
    '/docs/initializer.js',
    fixed('text/javascript; charset=utf-8', () => initializer, cacheControl),
  );
  for (const [name, contentType] of [
    ['swagger-ui.css', 'text/css; charset=utf-8'],
    ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['favicon-32x32.png', 'image/png'],
  ] as const) {
    router.get(
      `/docs/${name}`,
      fixed(contentType, () => readFile(join(packageFolder, name)), cacheControl),
    );
  }
  return router;
}
