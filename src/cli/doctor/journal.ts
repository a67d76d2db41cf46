/** One line of the log. */
export interface JournalEntry {
  /** Since 1970. */
  readonly atMs: number;
  readonly text: string;
}

interface Fields {
  readonly __REALTIME_TIMESTAMP?: string;
  readonly MESSAGE?: string | readonly number[] | null;
}

/** Reads `journalctl -o json`: an object a line. Of this program's own lines the message and what explains it. */
export function parseJournal(output: string): JournalEntry[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const { __REALTIME_TIMESTAMP: us = '0', MESSAGE: message } = JSON.parse(line) as Fields;
      // What is not UTF-8 comes as numbers, and what is too long as null.
      const text = typeof message === 'string' ? message : Buffer.from(message ?? []).toString();
      return { atMs: Number(us) / 1000, text: summarize(text) };
    });
}

interface LogLine {
  readonly msg?: string;
  readonly service?: string;
  readonly detail?: string;
  readonly problems?: readonly string[];
  readonly err?: string | { readonly message?: string };
}

/** A line is text, an object, or text with an object after it. */
function summarize(text: string): string {
  const start = text.indexOf('{');
  if (start < 0 || !text.endsWith('}')) {
    return text;
  }
  try {
    const { msg, service, detail, problems = [], err } = JSON.parse(text.slice(start)) as LogLine;
    const cause = typeof err === 'string' ? err : err?.message;
    const parts = [service, msg ?? text.slice(0, start).trim(), detail, ...problems, cause];
    return parts.filter((part) => part !== undefined && part !== '').join(': ');
  } catch {
    return text; // it only looks so
  }
}
