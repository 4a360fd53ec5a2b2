/** Writes the rules for the Prometheus Operator: `npm run rules`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { PROMETHEUS_RULE_FILE, prometheusRule, RULES_FILE } from './prometheus-rules.js';

writeFileSync(PROMETHEUS_RULE_FILE, prometheusRule(readFileSync(RULES_FILE, 'utf8')));
