/**
 * Strict base64. Node's decoder skips what it does not understand, so that two different texts can
 * mean the same bytes; a proof or a salt must have one spelling only.
 */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text) return null;
  return bytes;
}
