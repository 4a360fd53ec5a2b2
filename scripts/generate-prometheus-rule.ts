/** Writes what is generated from the rules and the routes: `npm run rules`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { ALERTMANAGER_FILE, ALERTMANAGER_VALUES_FILE, alertmanagerValues } from './alertmanager-values.js';
import { CHART_RULES_FILE, chartRules, PROMETHEUS_RULE_FILE, prometheusRule, RULES_FILE } from './prometheus-rules.js';

const rules = readFileSync(RULES_FILE, 'utf8');
writeFileSync(CHART_RULES_FILE, chartRules(rules));
writeFileSync(PROMETHEUS_RULE_FILE, prometheusRule(rules));
writeFileSync(ALERTMANAGER_VALUES_FILE, alertmanagerValues(readFileSync(ALERTMANAGER_FILE, 'utf8')));
