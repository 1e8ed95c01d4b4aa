export type Theme = 'system' | 'light' | 'dark';

const STORED = 'tierkit-theme';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function savedTheme(): Theme {
  const saved = readStored();
  return THEMES.find((theme) => theme === saved) ?? 'system';
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

export function nextTheme(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
}

function readStored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}
