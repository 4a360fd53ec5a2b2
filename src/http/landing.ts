/** `/`: a page that says in words how things are, and where the rest is. It works without JavaScript. */

import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { AppDependencies } from './dependencies.js';
import { ENDPOINTS } from './endpoints.js';
import { Html, html } from './html.js';
import type { HealthReport } from './schemas.js';
import { allow } from './security.js';
import { describeLastPass, describeModel, describePrometheus, describeTraining } from './status-words.js';

const style = `
:root { color-scheme: light; --text: #1b1f24; --quiet: #57606a; --ground: #fff; --line: #d0d7de; --link: #0550ae; }
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --text: #e6edf3; --quiet: #9198a1; --ground: #0d1117; --line: #30363d; --link: #6cb6ff; }
}
body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
body { color: var(--text); background: var(--ground); overflow-wrap: anywhere; }
h1 { margin-bottom: 0; }
h1 small { font-size: 1rem; font-weight: normal; color: var(--quiet); }
a { color: var(--link); }
dt { font-weight: 600; }
dd { margin: 0 0 .75rem; }
table { border-collapse: collapse; }
td { padding: .35rem 1rem .35rem 0; border-top: 1px solid var(--line); vertical-align: top; }
td:first-child { white-space: nowrap; }
`;

/** Allows this style and no other: the policy names its hash. */
const styleSource = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

/** Answers the page. */
export function landing({ health }: Pick<AppDependencies, 'health'>): RequestHandler {
  return (_request, response) => {
    allow(response, { 'style-src': styleSource, 'img-src': 'data:' });
    response.type('html').send(renderLanding(health()).markup);
  };
}

/** Links are relative, so that they hold behind a path prefix as well. */
function renderLanding(report: HealthReport): Html {
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>k8s-anomaly-detector</title>
<link rel="icon" href="data:,">
<style>${new Html(style)}</style>
</head>
<body>
<h1>k8s-anomaly-detector <small>${report.version}</small></h1>
<p>Learns how each Kubernetes pod usually behaves and says, at every scrape, which pods do not.</p>
<dl>
<dt>Model</dt><dd>${describeModel(report)}</dd>
<dt>Training</dt><dd>${describeTraining(report)}</dd>
<dt>Prometheus</dt><dd>${describePrometheus(report)}</dd>
<dt>Last pass</dt><dd>${describeLastPass(report)}</dd>
</dl>
<table>
${ENDPOINTS.filter(({ path }) => path !== '/').map(
  ({ path, summary }) => html`<tr><td><a href="${path.slice(1)}">${path}</a></td><td>${summary}</td></tr>`,
)}
</table>
</body>
</html>
`;
}
