/** `problem`: it does not serve as it should; `warning`: it may not for long; `note`: worth knowing. */
export const severities = ['ok', 'note', 'warning', 'problem'] as const;

export type Severity = (typeof severities)[number];

/** One thing that was found, in sentences for people; without secrets, serials or image data. */
export interface Finding {
  readonly severity: Severity;
  readonly found: string;
  /** Why it matters; empty where all is well. */
  readonly meaning: string;
  /** A command to paste into a shell, where one mends or shows more. */
  readonly command?: string;
}

export function fine(found: string): Finding {
  return { severity: 'ok', found, meaning: '' };
}

export function note(found: string, meaning: string, command?: string): Finding {
  return finding('note', found, meaning, command);
}

export function warning(found: string, meaning: string, command?: string): Finding {
  return finding('warning', found, meaning, command);
}

export function problem(found: string, meaning: string, command?: string): Finding {
  return finding('problem', found, meaning, command);
}

function finding(severity: Severity, found: string, meaning: string, command?: string): Finding {
  return { severity, found, meaning, ...(command === undefined ? {} : { command }) };
}
