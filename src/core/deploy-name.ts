export const deployNameExpected =
  'text of 1 to 64 characters without / \\ ? # %, control characters or spaces at its ends, and not "." or ".."';

// The name is one segment of the request path: characters that end, escape or split a segment
// would make the service unreachable, and URL parsers read a backslash as a slash.
const UNFIT_FOR_A_PATH_SEGMENT = /[/\\?#%\p{Cc}\p{Cs}\u2028\u2029]/u;

/** Can this be the name of a service in the request path? */
export function isDeployName(text: string): boolean {
  return (
    text.length > 0 &&
    [...text].length <= 64 &&
    text === text.trim() &&
    text !== '.' &&
    text !== '..' &&
    !UNFIT_FOR_A_PATH_SEGMENT.test(text)
  );
}
