import { count } from '../count.ts';

/** Figures as people read them: about three digits that count. */
export function formatFigure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) {
    return '-';
  }
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function formatCallers(callers: number): string {
  return count(callers, 'caller');
}
