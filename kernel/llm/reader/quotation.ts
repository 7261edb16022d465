/**
 * Puts a passage into quotation marks that do not stand in it, so that whoever checks the answer finds where it ends. A
 * passage that holds every kind of marks gives its longest part without them.
 */
export function quotation(text: string): string {
  if (!/[“”「」『』]/.test(text)) return `“${text}”`;
  if (!text.includes('"')) return `"${text}"`;
  const parts = text.split(/[“”「」『』]/).map((part) => part.trim());
  return `“${parts.reduce((longest, part) => (part.length > longest.length ? part : longest), "")}”`;
}
