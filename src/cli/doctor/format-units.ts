const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const DURATIONS = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
] as const;

/** `1.5 GiB` */
export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(bytes) / 10)));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** `3 days`, `5 minutes`, `12 seconds`: the largest unit that it has at least one of. */
export function formatDuration(seconds: number): string {
  const [length, noun] = DURATIONS.find(([each]) => seconds >= each) ?? [1, 'second'];
  const number = Math.floor(seconds / length);
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
