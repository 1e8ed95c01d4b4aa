/** What a name of dots alone is written as, and so each of these itself, with one `25` more. */
const WRITTEN = /^(?:%(?:25)*2E){1,2}$/;
const DOTS = /^\.{1,2}$/;

/** A name as a segment of an address of the API. Clients resolve `.` and `..`, so these are encoded twice. */
export function pathSegment(name: string): string {
  const written = DOTS.test(name) || WRITTEN.test(name);
  return encodeURIComponent(written ? name.replaceAll('%', '%25').replaceAll('.', '%2E') : name);
}

/** The name that a segment stands for, which was decoded once, as all segments are. */
export function nameOfSegment(segment: string): string {
  return WRITTEN.test(segment) ? decodeURIComponent(segment) : segment;
}
