/** @param {string} text */
export function say(text) {
  process.stderr.write(`[tierkit] ${text}\n`);
}

/** Ends the process with one clear line. @param {string} text @param {number} [code] @returns {never} */
export function fail(text, code = 1) {
  say(text);
  process.exit(code);
}
