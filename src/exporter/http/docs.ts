/** `/docs`: Swagger UI, from the files of its npm package. Nothing comes from another server. */

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RequestHandler, Router } from 'express';
import { html } from '../../lib/text/html.js';
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

export const docs: RequestHandler = (request, response) => {
  if (request.path.endsWith('/')) return response.redirect(301, '../docs');
  const self = "'self'";
  allow(response, { 'script-src': self, 'style-src': self, 'img-src': `${self} data:`, 'connect-src': self });
  response.type('html').send(page.markup);
};

/** What the page loads: these files of the package and no others. */
export function docsAssets(): Router {
  const router = Router();
  router.get('/docs/initializer.js', (_request, response) => void response.type('js').send(initializer));
  for (const asset of ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']) {
    router.get(`/docs/${asset}`, (_request, response) => {
      response.set('Cache-Control', 'max-age=3600');
      // npm gives all files of all versions the same date, so it cannot tell browsers of an update.
      response.sendFile(asset, { root: packageFolder, acceptRanges: false, lastModified: false });
    });
  }
  return router;
}
