/**
 * Characters that take two columns of a terminal: those of Chinese, Japanese and Korean writing
 * (East Asian Width W and F of Unicode's UAX 11, by block) and emoji.
 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const COMBINING = /[\p{Mn}\p{Me}\u200b-\u200d]/u;

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width += characterWidth(character);
  }
  return width;
}

/** Breaks a text, such as a path, into lines of at most `columns`, wherever that falls. */
export function breakText(text: string, columns: number): string {
  let lines = '';
  let width = 0;
  for (const character of text) {
    const added = characterWidth(character);
    if (width + added > columns) {
      lines += '\n';
      width = 0;
    }
    lines += character;
    width += added;
  }
  return lines;
}

/** Fills a text up with spaces to `columns`. */
export function padText(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

function characterWidth(character: string): number {
  if (COMBINING.test(character)) {
    return 0;
  }
  return WIDE.test(character) ? 2 : 1;
}
