import { readFileSync } from 'node:fs';

/** The text of a file of /proc, empty when its process has ended meanwhile. */
export function readProcFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
