/** `npm run dashboard`: writes `deploy/grafana/dashboard.json`. */

import { writeFileSync } from 'node:fs';
import { buildDashboard } from './build.js';
import { DASHBOARD_FILE } from './json.js';

writeFileSync(DASHBOARD_FILE, JSON.stringify(buildDashboard(), null, 2));
