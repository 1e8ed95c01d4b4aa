/** What stands in a field of a form, without space around it; empty for a box that is not ticked. */
export function textField(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === 'string' ? value.trim() : '';
}
