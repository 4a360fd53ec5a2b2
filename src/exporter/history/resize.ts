/** A history that reaches further back, or less far. */

import { HOURS_PER_DAY } from './grid.js';
import {
  COLUMN_NAMES,
  featuresOf,
  HISTORY_COLUMNS,
  type HistoryColumnName,
  type HistoryColumns,
  type HistoryState,
  newColumn,
} from './workload-history.js';

/** The same for another number of days: of the known hours, those that still count. */
export function withDays(state: HistoryState, days: number): HistoryState {
  if (days === state.days) return state;
  const [from, to] = [state.days * HOURS_PER_DAY, days * HOURS_PER_DAY];
  const newest = state.hours.reduce((latest, hour) => Math.max(latest, hour), -1);
  const kept = [...state.hours.entries()].filter(([, hour]) => hour !== -1 && hour > newest - to);
  const hours = new Int32Array(to).fill(-1);
  const pods = new Uint32Array(to);
  for (const [slot, hour] of kept) {
    hours[hour % to] = hour;
    pods[hour % to] = state.pods[slot] as number;
  }
  const columns = COLUMN_NAMES.map((name) => [name, moveHours(state, name, from, to, kept)]);
  return { ...state, days, hours, pods, columns: Object.fromEntries(columns) as unknown as HistoryColumns };
}

/** A column with its hours at other places. @param kept each: the old place, and the number of the hour. */
function moveHours(
  { columns, workloads, groups, ...shape }: HistoryState,
  name: HistoryColumnName,
  from: number,
  to: number,
  kept: readonly (readonly [slot: number, hour: number])[],
): HistoryColumns[HistoryColumnName] {
  const { rows, cellsPerHour } = HISTORY_COLUMNS[name];
  // Each line holds the hours of a feature of one row.
  const lines = { workloads, groups }[rows].length * featuresOf(shape, name);
  const moved = newColumn(name, lines * to * cellsPerHour);
  for (let line = 0; line < lines; line++) {
    for (const [slot, hour] of kept) {
      const start = (line * from + slot) * cellsPerHour;
      moved.set(columns[name].subarray(start, start + cellsPerHour), (line * to + (hour % to)) * cellsPerHour);
    }
  }
  return moved;
}
