import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Session } from './api/session.ts';
import { useLive } from './live/use-live.ts';
import { PAGES } from './pages.ts';
import { applyTheme, nextTheme, savedTheme } from './theme.ts';

export interface ShellProps {
  readonly session: Session;
  readonly onSignOut: () => void;
}

/** What stays on every page: who is signed in, where one can go, and whether figures still arrive. */
export function Shell({ session, onSignOut }: ShellProps): JSX.Element {
  const live = useLive(session.api);
  const address = useAddress();
  const pages = PAGES.filter((each) => each.shownTo(session));
  const page = pages.find(({ name }) => name === address) ?? pages[0];
  return (
    <>
      <a class="skip" href="#content" onClick={focusContent}>
        Skip to the content
      </a>
      <header>
        <strong>tierkit</strong>
        <nav aria-label="Pages">
          {pages.map(({ name, title }) => (
            <a key={name} href={`#/${name}`} aria-current={name === page?.name ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <p class="who">
          <span role="status" class={live.connected ? 'state up' : 'state down'}>
            {live.connected ? 'live' : 'not connected'}
          </span>
          <span>{session.name}</span>
        </p>
        <ThemeButton />
        <button type="button" onClick={onSignOut}>
          Sign out
        </button>
      </header>
      <main id="content">{page && <page.View key={page.name} session={session} live={live} />}</main>
    </>
  );
}

function ThemeButton(): JSX.Element {
  const [theme, setTheme] = useState(savedTheme);
  const change = (): void => {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" onClick={change}>
      Theme: {theme}
    </button>
  );
}

/** The link would change the address, which says what page is shown. */
function focusContent(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#content h1')?.focus();
}

function addressNow(): string {
  return location.hash.replace(/^#\//, '');
}

function useAddress(): string {
  const [address, setAddress] = useState(addressNow);
  useEffect(() => {
    const changed = (): void => setAddress(addressNow());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return address;
}
