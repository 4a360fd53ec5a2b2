/** Numbers and alerts for people. */

import type { AlertStatement, FeatureStatement } from './report.js';

/** Three digits, without an exponent where that is readable. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return new Intl.NumberFormat('en', { maximumFractionDigits: 0 }).format(value);
  return String(Number(value.toPrecision(3)));
}

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A value of a feature with its unit: bytes as people read them. */
export function valueText(value: number, unit: string): string {
  if (unit === '') return numberText(value);
  if (unit !== 'bytes') return `${numberText(value)} ${unit}`;
  let scaled = value;
  let power = 0;
  while (Math.abs(scaled) >= 1024 && power < BINARY_UNITS.length - 1) {
    scaled /= 1024;
    power++;
  }
  return `${numberText(scaled)} ${BINARY_UNITS[power]}`;
}

/** `cpu 1.9 cores, usually 0.18 cores (+52 spreads)`. */
export function featureText({ feature, unit, actual, expected, deviation }: FeatureStatement): string {
  const sign = deviation > 0 ? '+' : '';
  // `restarts 5 restarts` says it twice.
  const said = unit === feature ? '' : unit;
  return (
    `${feature} ${valueText(actual, said)}, usually ${valueText(expected, said)} ` +
    `(${sign}${numberText(deviation)} spreads)`
  );
}

/** What an alert is about, as a part of a sentence. */
export function sentenceOf({ alert, namespace, workload, pod }: AlertStatement): string {
  switch (alert) {
    case 'PodAnomalous':
      return `pod ${namespace}/${pod}`;
    case 'WorkloadAnomalous':
      return `most pods of ${namespace}/${workload}`;
    case 'AnomalyMassFlagging':
      return 'more than a fifth of all pods';
  }
}

/** `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
