/** The contents of a Markdown text's fenced blocks of a language, in order. */
export function readBlocks(markdown: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...markdown.matchAll(pattern)].map(([, block]) => block ?? '');
}
