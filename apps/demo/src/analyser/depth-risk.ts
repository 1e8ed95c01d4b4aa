const OPENERS = new Set('([{<?:`');
const OPERATORS = new Set('!~+-*/%&|^=.');

// The native parser recurses, and a stack overflow in it ends the whole process. Tried on an 8 MiB stack: nested
// functions fail between 1,000 and 2,000 levels, other brackets and else-if chains above 3,000, operator chains above 10,000.
const MAX_OPENERS = 1_500;
const MAX_OPERATORS = 8_000;
const MAX_LENGTH = 32 * 1024;

/**
 * Whether a text has too few tokens to be nested deeper than the parser can bear. Counts tokens rather than follows
 * them: a text that fails may be harmless, one that passes is.
 */
export function isSurelyShallow(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  let openers = 0;
  let operators = 0;
  for (const character of text) {
    if (OPENERS.has(character)) openers++;
    else if (OPERATORS.has(character)) operators++;
  }
  openers += text.match(/\b(?:do|else)\b/g)?.length ?? 0;
  return openers <= MAX_OPENERS && operators <= MAX_OPERATORS;
}
