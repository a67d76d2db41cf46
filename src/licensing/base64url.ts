/**
 * Decodes base64url without padding, strictly: only the text that encoding the result gives again.
 * So nothing is ignored, and no two texts mean the same bytes.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
