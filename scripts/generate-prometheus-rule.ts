/**
 * Writes what is generated from the rules and the routes: `npm run rules`. The rules themselves and their tests take the
 * address of the runbooks from `package.json`.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNBOOKS_URL } from '../src/exporter/version.js';
import { ALERTMANAGER_FILE, ALERTMANAGER_VALUES_FILE, alertmanagerValues } from './alertmanager-values.js';
import {
  CHART_RULES_FILE,
  chartRules,
  PROMETHEUS_RULE_FILE,
  prometheusRule,
  RULES_FILE,
  RULES_TESTS,
  withRunbooksAt,
} from './prometheus-rules.js';

for (const path of [RULES_FILE, ...readdirSync(RULES_TESTS).map((name) => join(RULES_TESTS, name))]) {
  writeFileSync(path, withRunbooksAt(RUNBOOKS_URL, readFileSync(path, 'utf8')));
}
const rules = readFileSync(RULES_FILE, 'utf8');
writeFileSync(CHART_RULES_FILE, chartRules(rules));
writeFileSync(PROMETHEUS_RULE_FILE, prometheusRule(rules));
writeFileSync(ALERTMANAGER_VALUES_FILE, alertmanagerValues(readFileSync(ALERTMANAGER_FILE, 'utf8')));
